/** A run goes on with what it began with, or not at all: the field that differs is named, and nothing is generated or trained. */
import { ofJson } from "@gradus/domain/Digest"
import { identity } from "@gradus/manifest/Resolve"
import { provenance } from "@gradus/manifest/Provenance"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { readJson, writeJson } from "../src/AtomicFile.ts"
import { readJournal } from "../src/Journal.ts"
import { contentOf } from "../src/PolicyContent.ts"
import { ResolvedFile } from "../src/ReadRun.ts"
import { layout } from "../src/RunDirectory.ts"
import { readStored } from "../src/StoredManifest.ts"
import { inTemporaryRuns, manifestOf, planned, type Service, service, simulate } from "./simulated.ts"

const manifest = manifestOf({})

/** Starts a run and cuts it in its training, at a call after its second update. */
const begun = Effect.fnUntraced(function* (runs: string, over = manifest) {
  const kept = service()
  yield* Effect.exit(simulate(over, runs, kept, { at: 12, after: true }))
  const dir = yield* Effect.map(Path.Path, (path) => path.join(runs, `${over.name}--${identity(over).slice(0, 12)}`))
  const directory = yield* layout(dir)
  return { kept, directory }
})

/** Goes on, and gives what that failed with, and how many steps the journal then has. */
const refusal = Effect.fnUntraced(function* (
  runs: string,
  { directory, kept }: Effect.Success<ReturnType<typeof begun>>,
  over = manifest
) {
  const steps = Effect.map(
    readJournal(directory.journal),
    ({ events }) => events.filter(({ _tag }) => _tag === "step_generated").length
  )
  const before = yield* steps
  const refused = yield* Effect.flip(simulate(over, runs, kept))
  assert.strictEqual(yield* steps, before)
  return refused
})

describe("a run that was begun", () => {
  it.effect("is not gone on with from other weights, where the trainer begins anew", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const cut = yield* begun(runs)
        // the trainer's state is gone, and another model lies under the same path
        const [[name, run] = ["", undefined]] = Object.entries(cut.kept.live.runs)
        assert.isDefined(run)
        const ability = { ...run.ability, knots: run.ability.knots.map((level) => level + 1) }
        const other = { ...run, ability, version: 0, answers: [], durable: 0 }
        const changed = { ...cut.kept.live, runs: { [name]: other } }
        cut.kept.live = changed
        cut.kept.durable = changed
        const refused = yield* refusal(runs, cut)
        assert.deepInclude(refused, { _tag: "RunChanged", field: "policy.weights" })
      })
    )
  )

  it.effect("is not gone on with on other questions", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* fs.makeDirectory(runs, { recursive: true })
        const file = `${runs}/questions.jsonl`
        const rows = (gold: string) =>
          Array.from(
            { length: 40 },
            (_, i) => `${JSON.stringify({ id: `q${i}`, question: `${i}`, answer: gold })}\n`
          ).join("")
        yield* fs.writeFileString(file, rows("a"))
        const over = manifestOf({ questions: { kind: "files", train: { path: file } } })
        const cut = yield* begun(runs, over)
        yield* fs.writeFileString(file, rows("b"))
        assert.deepInclude(yield* refusal(runs, cut, over), { _tag: "RunChanged", field: "dataset" })
      })
    )
  )

  it.effect("is not gone on with under another manifest", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const cut = yield* begun(runs)
        const stored = yield* readJson(ResolvedFile, cut.directory.resolved)
        const train = { ...stored.manifest.train, prompts_per_step: 5 }
        yield* writeJson(cut.directory.resolved, {
          ...stored,
          digest: ofJson("other"),
          manifest: { ...stored.manifest, train }
        })
        assert.deepInclude(yield* refusal(runs, cut), { _tag: "RunChanged", field: "train.prompts_per_step" })
      })
    )
  )

  it.effect("is not gone on with where its manifest was edited under its digest, or with it", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const cut = yield* begun(runs)
        const stored = yield* readJson(ResolvedFile, cut.directory.resolved)
        const rows = provenance(stored.manifest, undefined)
        for (const [path, value] of [
          ["seed", { ...stored.manifest, seed: stored.manifest.seed + 1 }],
          ["train.steps", { ...stored.manifest, train: { ...stored.manifest.train, steps: 1 } }]
        ] as const) {
          yield* writeJson(cut.directory.resolved, { ...stored, manifest: value, provenance: rows })
          assert.deepInclude(yield* refusal(runs, cut), { _tag: "RunChanged", field: path })
          // without provenance it is refused all the same
          yield* writeJson(cut.directory.resolved, { ...stored, manifest: value })
          assert.deepInclude(yield* refusal(runs, cut), { _tag: "RunChanged", field: "manifest" })
          // a digest that was made to fit is not that of the lineage
          const fitting = { ...stored, manifest: value, digest: identity(value) }
          yield* writeJson(cut.directory.resolved, fitting)
          const refused = yield* Effect.flip(readStored(cut.directory))
          assert.deepInclude(refused, { _tag: "RunChanged", field: "manifest" })
        }
        yield* writeJson(cut.directory.resolved, stored)
        assert.deepStrictEqual(yield* readStored(cut.directory), stored)
      })
    )
  )
})

const warm = {
  policy: { kind: "huggingface", path: "model" },
  warmup: { steps: 3, examples_per_step: 2, learning_rate: { peak: 1e-3 } }
}

/** A model's files below a directory of runs, where relative paths of these manifests start. */
const model = Effect.fnUntraced(function* (runs: string, files: Readonly<Record<string, string>>) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(`${runs}/model`, { recursive: true })
  for (const [name, text] of Object.entries(files)) yield* fs.writeFileString(`${runs}/model/${name}`, text)
})

const whole = { "model.safetensors": "weights", "tokenizer.json": "{}", "config.json": "{}" }

/** Whether a run found the warm-up made. */
const reusedWarmup = Effect.fnUntraced(function* (runs: string, kept: Service, name: string) {
  const over = manifestOf({ ...warm, name })
  yield* planned(over, runs, kept)
  const directory = yield* layout(`${runs}/${name}--${identity(over).slice(0, 12)}`)
  const { events } = yield* readJournal(directory.journal)
  const made = events.find((event) => event._tag === "stage_finished" && event.stage === "warmup")
  return made?._tag === "stage_finished" ? made.reused : undefined
})

describe("a policy behind a path", () => {
  it.effect("is not gone on with where other bytes lie there, also after its warm-up", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        yield* model(runs, whole)
        const over = manifestOf(warm)
        const cut = yield* begun(runs, over)
        for (const file of Object.keys(whole)) {
          yield* model(runs, { [file]: "{other}" })
          assert.deepInclude(yield* refusal(runs, cut, over), { _tag: "RunChanged", field: "policy.path" })
          yield* model(runs, whole)
        }
        // what the trainer does not read may change
        yield* model(runs, { "README.md": "words" })
        assert.isAbove((yield* simulate(over, runs, cut.kept)).steps, 0)
      })
    )
  )

  it.effect("shares its warm-up with runs that have the same bytes there, and with no others", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        yield* model(runs, whole)
        const kept = service()
        assert.isFalse(yield* reusedWarmup(runs, kept, "first"))
        assert.isTrue(yield* reusedWarmup(runs, kept, "second"))
        // of the same size: the bytes are looked at, not the length
        yield* model(runs, { "model.safetensors": "WEIGHTS" })
        assert.isFalse(yield* reusedWarmup(runs, kept, "third"))
        yield* model(runs, { "model.safetensors": "weights" })
        assert.isTrue(yield* reusedWarmup(runs, kept, "fourth"))
      })
    )
  )

  it.effect("is read once while nothing about its files changes", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        yield* model(runs, whole)
        const fs = yield* FileSystem.FileSystem
        let read = 0
        const counting = { ...fs, stream: (...args: Parameters<typeof fs.stream>) => (read++, fs.stream(...args)) }
        const content = Effect.provideService(
          contentOf({ kind: "huggingface", path: "model" }, runs, `${runs}/.artifacts`),
          FileSystem.FileSystem,
          counting
        )
        const first = yield* content
        assert.strictEqual(read, 3)
        assert.strictEqual(yield* content, first)
        assert.strictEqual(read, 3)
        yield* model(runs, { "config.json": "{ }" })
        assert.notStrictEqual(yield* content, first)
        assert.strictEqual(read, 6)
        const file = { kind: "gguf", path: "model/model.safetensors" } as const
        const one = yield* contentOf(file, runs, `${runs}/.artifacts`)
        yield* model(runs, { "model.safetensors": "other" })
        assert.notStrictEqual(yield* contentOf(file, runs, `${runs}/.artifacts`), one)
        assert.isUndefined(yield* contentOf({ kind: "gguf", path: "none" }, runs, `${runs}/.artifacts`))
      })
    )
  )
})
