import { assert, describe, it } from "@effect/vitest"
import { loadQuestions } from "@gradus/datasets/service/LoadQuestions"
import * as Seed from "@gradus/domain/Seed"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { exists, writeFile } from "../src/AtomicFile.ts"
import { readJournal } from "../src/Journal.ts"
import { readRun } from "../src/ReadRun.ts"
import { layout } from "../src/RunDirectory.ts"
import { inTemporaryRuns, manifestOf, service, simulate } from "./simulated.ts"

const from = { file: "rates.jsonl", column: "failures", kind: "failed_count", n: 8 }
const manifest = manifestOf({ profile: { from } })

const idsOf = Effect.fnUntraced(function* () {
  const seed = Seed.child(Seed.root(manifest.seed), "questions")
  const { sets } = yield* loadQuestions(manifest.questions, seed, ".")
  return sets.train.map(({ question_id }) => question_id)
})

/** Question i was failed i mod 9 of 8 times; a question of another set stands between them. */
const rowsOf = (ids: ReadonlyArray<string>) =>
  ["of another set", ...ids].map((id, i) => ({ id, failures: i === 0 ? 0 : (i - 1) % 9 })).toReversed()

const write = (runs: string, rows: ReadonlyArray<object>) =>
  writeFile(`${runs}/rates.jsonl`, rows.map((row) => `${JSON.stringify(row)}\n`).join(""))

const digestOf = Effect.fnUntraced(function* (root: string) {
  const { events } = yield* readJournal((yield* layout(root)).journal)
  const event = events.find((one) => one._tag === "stage_finished" && one.stage === "profile")
  return event?._tag === "stage_finished" ? event.input_digest : undefined
})

describe("a run with pass rates that a file brings", () => {
  it.effect("measures nothing, and plans by the file's rates, found by the questions' ids", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const ids = yield* idsOf()
        yield* write(runs, rowsOf(ids))
        const { dir } = yield* simulate(manifest, runs, service())
        const { plan, profile } = yield* readRun(dir)
        assert.deepStrictEqual(
          profile.map(({ n, passed, question_id, scored }) => [question_id, n, scored, passed]),
          ids.map((id, i) => [id, 8, 8, 8 - (i % 9)])
        )
        // quantiles .1 and .9 of Beta(9, 1): .1^(1/9), .9^(1/9)
        assert.closeTo(profile[0]?.low ?? NaN, 0.1 ** (1 / 9), 1e-9)
        assert.closeTo(profile[0]?.high ?? NaN, 0.9 ** (1 / 9), 1e-9)
        const rate = new Map(profile.map((row) => [row.question_id, row.rate ?? NaN]))
        assert.isTrue(plan.flatMap(({ questions }) => questions).every((id) => (rate.get(id) ?? 1) < 0.75))
        assert.isFalse(yield* exists((yield* layout(dir)).profileChunk(0)))
      })
    )
  )

  it.effect("has the file's content in the profile's identity, and not its name", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const rows = rowsOf(yield* idsOf())
        yield* write(runs, rows)
        const first = yield* digestOf((yield* simulate(manifest, runs, service())).dir)
        yield* fs.rename(`${runs}/rates.jsonl`, `${runs}/moved.jsonl`)
        const moved = manifestOf({ profile: { from: { ...from, file: "moved.jsonl" } } })
        assert.strictEqual(yield* digestOf((yield* simulate(moved, runs, service())).dir), first)
        yield* write(runs, rows.with(0, { ...rows[0]!, failures: 1 }))
        const other = manifestOf({ seed: manifest.seed, description: "again", name: "again", profile: { from } })
        assert.notStrictEqual(yield* digestOf((yield* simulate(other, runs, service())).dir), first)
      })
    )
  )

  it.effect("fails where a question has no row, saying which and what the file has, and at a row that is wrong", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const ids = yield* idsOf()
        const failure = Effect.map(Effect.flip(simulate(manifest, runs, service())), (error) => [
          error._tag,
          "message" in error ? error.message.replaceAll(`${runs}/`, "") : ""
        ])
        yield* write(runs, rowsOf(ids.slice(2)))
        assert.deepStrictEqual(yield* failure, [
          "RatesMissing",
          `rates.jsonl: no row for 2 of 60 questions (${ids.slice(0, 2).join(", ")}, …); its ids are like ${ids.at(-1)}: profile.from.id names their column`
        ])
        yield* write(runs, rowsOf(ids).with(4, { id: "x", failures: 9 }))
        assert.deepStrictEqual(yield* failure, [
          "DatasetRowInvalid",
          'rates.jsonl, row 5, column "failures": a number from 0 to 8 is needed, and it is 9'
        ])
      })
    )
  )
})
