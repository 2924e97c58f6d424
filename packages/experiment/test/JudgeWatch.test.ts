import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import type { JournalEvent } from "@gradus/domain/Journal"
import { root } from "@gradus/domain/Seed"
import { readingOf } from "@gradus/rewards/judge/Calibration"
import { JudgeCalibration } from "@gradus/rewards/service/JudgeCalibration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type { RunContext } from "../src/Context.ts"
import { openJournal, readJournal } from "../src/Journal.ts"
import { judgeStepMetrics, watchJudge } from "../src/JudgeWatch.ts"
import { layout } from "../src/RunDirectory.ts"
import { group, manifest } from "./steps.ts"

const LABELLED = [
  { id: "a", gold: "4", answer: "four", right: true },
  { id: "b", gold: "4", answer: "five", right: false }
]
const judged = (calibration: object) =>
  manifest({
    rewards: {
      accuracy: "judge",
      judge: { endpoint: "http://h", model: "m", calibration: { file: "set.jsonl", ...calibration } }
    }
  })

/** A judge that says yes to everything, and counts how often it was read. */
const lenient = () => {
  const reads: Array<number> = []
  const layer = Layer.succeed(JudgeCalibration, {
    read: (step, labelled) =>
      Effect.sync(() => {
        reads.push(step)
        return readingOf(
          step,
          labelled,
          labelled.map(() => "yes")
        )
      })
  })
  return { reads, layer }
}

/** A run in a folder of its own; its journal is a real one. */
const running = Effect.fnUntraced(function* (calibration: object) {
  const fs = yield* FileSystem.FileSystem
  const base = yield* fs.makeTempDirectoryScoped()
  const directory = yield* layout(`${base}/run`)
  const write = (rows: ReadonlyArray<object>) =>
    fs.writeFileString(`${base}/set.jsonl`, rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
  yield* write(LABELLED)
  const journal = yield* openJournal(directory.journal)
  const context: RunContext = {
    manifest: judged(calibration),
    manifestDigest: "m",
    base,
    directory,
    seed: root(0),
    // the judge's watch reads no question
    sets: { train: [], evaluation: {}, warmup: [] } as unknown as RunContext["sets"],
    datasetDigest: "d",
    policyContent: undefined,
    worked: undefined,
    questions: new Map(),
    journal,
    attempt: 1,
    records: { metrics: () => Effect.void, timings: () => Effect.void }
  }
  return { context, write }
})

const readsOf = (events: ReadonlyArray<JournalEvent>) =>
  events.flatMap((event) => (event._tag === "judge_read" ? [event] : []))

describe("watchJudge", () => {
  it.live("reads at the start and every so many steps, each once, also by a run that goes on", () => {
    const { layer, reads } = lenient()
    return Effect.gen(function* () {
      const { context } = yield* running({ every: 2 })
      for (const step of [0, 0, 1, 2, 3, 4]) yield* watchJudge(context, step)
      const { events } = yield* readJournal(context.directory.journal)
      yield* watchJudge({ ...context, journal: { ...context.journal, events: () => events } }, 4)
      assert.deepStrictEqual(reads, [0, 2, 4])
      assert.deepStrictEqual(
        readsOf(events).map(({ alarms, metrics, step }) => [
          step,
          alarms.map(({ kind }) => kind).join(),
          metrics["judge/calibration/agreement"],
          metrics["judge/calibration/drift"],
          metrics["judge/alarm/false_accepts"]
        ]),
        [0, 2, 4].map((step) => [step, "agreement,false_accepts", 0.5, 0, 1])
      )
    }).pipe(Effect.scoped, Effect.provide([layer, NodeServices.layer]))
  })

  it.live("refuses other labelled answers than the run began with, and rows that are none", () => {
    const { layer } = lenient()
    return Effect.gen(function* () {
      const { context, write } = yield* running({ every: 2 })
      yield* watchJudge(context, 0)
      yield* write(LABELLED.toReversed())
      assert.strictEqual((yield* Effect.flip(watchJudge(context, 2)))._tag, "CalibrationSetChanged")
      yield* write([{ id: "a", gold: "4", answer: "four" }])
      const invalid = yield* Effect.flip(watchJudge(context, 2))
      assert.strictEqual(invalid._tag, "DatasetRowInvalid")
      assert.include(invalid.message, "right")
    }).pipe(Effect.scoped, Effect.provide([layer, NodeServices.layer]))
  })

  it.live("raises an alarm between two readings when the judge's mean rises and a rule's does not", () => {
    const { layer, reads } = lenient()
    return Effect.gen(function* () {
      const { context } = yield* running({ every: 1000 })
      for (let step = 1; step <= 12; step++) {
        const yes = step <= 5 ? 30 : 95
        const metrics = { "judge/yes": yes, "judge/no": 100 - yes, "judge/audit/graded": 100, "judge/audit/right": 30 }
        yield* context.journal.commit({ _tag: "step_generated", step, updates: [], metrics })
        yield* watchJudge(context, step)
      }
      assert.deepStrictEqual(reads, [])
      assert.deepStrictEqual(
        readsOf(context.journal.events()).map(({ calibration, metrics, step }) => [step, calibration, metrics]),
        [[10, undefined, { "judge/alarm/judge_rises_alone": 1 }]]
      )
    }).pipe(Effect.scoped, Effect.provide([layer, NodeServices.layer]))
  })
})

describe("judgeStepMetrics", () => {
  const groups = [group("q", [1, 0])]

  it("is nothing without a judge, and has the rule's counts where the judge is watched", () => {
    assert.deepStrictEqual(judgeStepMetrics(manifest(), 1, groups), {})
    assert.notProperty(
      judgeStepMetrics(manifest({ rewards: { judge: { endpoint: "http://h", model: "m" } } }), 1, groups),
      "judge/audit/graded"
    )
    const numbers = groups.map((one) => ({ ...one, question: { ...one.question, gold: "4" } }))
    assert.deepInclude(judgeStepMetrics(judged({}), 1, numbers), { "judge/audit/graded": 2, "judge/audit/right": 0 })
  })
})
