import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { QuestionsSpec } from "@gradus/domain/manifest/Questions"
import * as Seed from "@gradus/domain/Seed"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { existsSync } from "node:fs"
import { loadQuestions } from "../src/service/LoadQuestions.ts"
import { readRows } from "../src/service/Rows.ts"
import { encodeTable } from "../src/Table.ts"

const specOf = Schema.decodeUnknownSync(QuestionsSpec)
const seed = Seed.root(2)
const lines = (...rows: ReadonlyArray<unknown>): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("")

const gsm8k = new URL("../../../../shared/data/gsm8k/", import.meta.url).pathname
const real = existsSync(`${gsm8k}test.jsonl`)

/** Writes files into a directory that goes with the test. */
const written = Effect.fnUntraced(function* (files: Readonly<Record<string, string | Uint8Array>>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = yield* fs.makeTempDirectoryScoped()
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content
    yield* fs.writeFile(path.join(directory, name), bytes)
  }
  return directory
})

layer(NodeServices.layer)((it) => {
  describe("rows of a file", () => {
    it.effect("are the same in JSONL and Parquet", () =>
      Effect.gen(function* () {
        const parquet = yield* encodeTable([
          { name: "question", type: "utf8", values: ["a", "b"], nullable: false },
          { name: "n", type: "int32", values: [1, null], nullable: true }
        ])
        const jsonl = lines({ question: "a", n: 1 }, { question: "b", n: null })
        const directory = yield* written({ "r.parquet": parquet, "r.jsonl": jsonl })
        const rows = yield* readRows(`${directory}/r.parquet`)
        assert.deepStrictEqual(rows, yield* readRows(`${directory}/r.jsonl`))
        assert.deepStrictEqual(rows[1], { row: 2, values: { question: "b", n: null } })
        assert.lengthOf(yield* readRows(`${directory}/r.parquet`, 1), 1)
      })
    )

    it.effect("cannot be had of a file that is absent, empty, torn, or neither format", () =>
      Effect.gen(function* () {
        const parquet = yield* encodeTable([{ name: "x", type: "int32", values: [1], nullable: false }])
        const directory = yield* written({
          "empty.jsonl": "",
          "torn.parquet": parquet.slice(0, 20),
          "fake.parquet": "{}",
          "latin.jsonl": Uint8Array.of(0x7b, 0xe9, 0x7d)
        })
        const reason = (name: string) =>
          Effect.map(Effect.flip(readRows(`${directory}/${name}`)), (error) => {
            assert.strictEqual(error._tag, "DatasetUnreadable")
            return error.reason
          })
        assert.strictEqual(yield* reason("absent.jsonl"), "there is no such file")
        assert.strictEqual(yield* reason("empty.jsonl"), "the file is empty")
        assert.match(yield* reason("torn.parquet"), /not readable as Parquet/)
        assert.match(yield* reason("fake.parquet"), /does not begin as Parquet/)
        assert.match(yield* reason("latin.jsonl"), /not UTF-8/)
      })
    )
  })

  describe("questions from files", () => {
    const row = (question: string, extra: object = {}) => ({ question, answer: "1", ...extra })

    it.effect("are read relative to the manifest, with a digest of what was read", () =>
      Effect.gen(function* () {
        const directory = yield* written({
          "train.jsonl": lines(row("a"), row("b"), row("c")),
          "heldout.jsonl": lines(row("d"))
        })
        const spec = specOf({
          kind: "files",
          train: { path: "train.jsonl", limit: 2 },
          heldout: { path: "heldout.jsonl" }
        })
        const { digest, sets, workedExample } = yield* loadQuestions(spec, seed, directory)
        assert.deepStrictEqual(
          sets.train.map(({ question }) => question),
          ["a", "b"]
        )
        assert.deepStrictEqual(Object.keys(sets.evaluation), ["heldout"])
        assert.strictEqual(workedExample, null)
        assert.strictEqual((yield* loadQuestions(spec, Seed.root(99), directory)).digest, digest)
        const all = specOf({ kind: "files", train: { path: "train.jsonl" }, heldout: { path: "heldout.jsonl" } })
        assert.notStrictEqual((yield* loadQuestions(all, seed, directory)).digest, digest)
      })
    )

    it.effect("that are in two sets are refused", () =>
      Effect.gen(function* () {
        const directory = yield* written({ "t.jsonl": lines(row("a"), row("b")), "h.jsonl": lines(row("b ")) })
        const spec = specOf({ kind: "files", train: { path: "t.jsonl" }, heldout: { path: "h.jsonl" } })
        const error = yield* Effect.flip(loadQuestions(spec, seed, directory))
        assert.strictEqual(error.message, "the question sets overlap: train train-000002 is heldout heldout-000001")
      })
    )

    it.effect("name the file and the row that is wrong", () =>
      Effect.gen(function* () {
        const directory = yield* written({ "t.jsonl": lines(row("a"), { question: "b", anwser: "1" }) })
        const error = yield* Effect.flip(
          loadQuestions(specOf({ kind: "files", train: { path: "t.jsonl" } }), seed, directory)
        )
        assert.strictEqual(
          error.message,
          `${directory}/t.jsonl, row 2, column "answer": no such column; the row has: question, anwser; did you mean "anwser"?`
        )
      })
    )

    it.effect("serve warm-up examples pass after pass, each whole, by index", () =>
      Effect.gen(function* () {
        const examples = ["a", "b", "c", "d", "e", "f", "g", "h"].map((each) => row(each, { completion: `${each}!` }))
        const directory = yield* written({ "t.jsonl": lines(row("x")), "w.jsonl": lines(...examples) })
        const spec = specOf({ kind: "files", train: { path: "t.jsonl" }, warmup: { path: "w.jsonl" } })
        const { workedExample } = yield* loadQuestions(spec, seed, directory)
        const at = (index: number) =>
          Effect.map(workedExample?.(index) ?? Effect.die("no warm-up"), ({ completion }) => completion)
        const first = yield* Effect.forEach([0, 1, 2, 3, 4, 5, 6, 7], at)
        const second = yield* Effect.forEach([8, 9, 10, 11, 12, 13, 14, 15], at)
        assert.deepStrictEqual(first.toSorted(), ["a!", "b!", "c!", "d!", "e!", "f!", "g!", "h!"])
        assert.deepStrictEqual(second.toSorted(), first.toSorted())
        assert.notDeepEqual(second, first)
        assert.strictEqual(yield* at(3), first[3])
      })
    )
  })

  describe("questions of tasks", () => {
    it.effect.each(["sorting", "arithmetic"] as const)(
      "%s: the same seed gives the same digest, and examples",
      (kind) =>
        Effect.gen(function* () {
          const first = yield* loadQuestions(specOf({ kind }), seed, ".")
          const again = yield* loadQuestions(specOf({ kind }), Seed.root(2), ".")
          const other = yield* loadQuestions(specOf({ kind }), Seed.root(3), ".")
          assert.strictEqual(again.digest, first.digest)
          assert.notStrictEqual(other.digest, first.digest)
          const example = yield* first.workedExample?.(5) ?? Effect.die("no warm-up")
          assert.deepStrictEqual(yield* again.workedExample?.(5) ?? Effect.die("no warm-up"), example)
          const asked = [first.sets.train, ...Object.values(first.sets.evaluation)].flat()
          assert.isFalse(asked.some(({ question }) => question === example.question))
        })
    )
  })

  it.effect(
    real
      ? "GSM8K's test set: 1319 questions whose golds are numbers"
      : "GSM8K's test set: ABSENT on this machine, nothing was read",
    () =>
      Effect.gen(function* () {
        if (!real) return
        const file = { path: "test.jsonl", gold_rule: "gsm8k_hash_last" }
        const { sets } = yield* loadQuestions(specOf({ kind: "files", train: file }), seed, gsm8k)
        assert.lengthOf(sets.train, 1319)
        assert.isTrue(sets.train.every(({ gold }) => /^-?\d+(?:\.\d+)?$/.test(gold)))
        assert.strictEqual(sets.train[0]?.gold, "18")
        const worked = { path: "test.jsonl", columns: { completion: "answer" } }
        const both = specOf({ kind: "files", train: file, heldout: { ...file, path: "train.jsonl" }, warmup: worked })
        const loaded = yield* Effect.result(loadQuestions(both, seed, gsm8k))
        assert.strictEqual(loaded._tag, "Success")
      })
  )
})
