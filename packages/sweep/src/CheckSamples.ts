/** Completions of a run against what its records say of them: rewards of steps, accuracies of readings, bytes of updates. */
import { decodeRows } from "@gradus/datasets/Parquet"
import { ofJson } from "@gradus/domain/Digest"
import type { JournalEvent } from "@gradus/domain/Journal"
import { MetricsRow } from "@gradus/domain/Metrics"
import { type EvaluationReading, RolloutRow } from "@gradus/domain/RunRecord"
import { readFile } from "@gradus/experiment/AtomicFile"
import { reading } from "@gradus/experiment/Evaluate"
import { lines, readings } from "@gradus/experiment/ReadRun"
import type { RunDirectory } from "@gradus/experiment/RunDirectory"
import { readUpdate } from "@gradus/experiment/StoredUpdate"
import * as Effect from "effect/Effect"
import { type Change, changes, guarded } from "./Change.ts"

/** A control that shuffles rewards sums the same ones in another order. */
const DIGITS = 9

const shown = (value: number | null | undefined): string =>
  value === null || value === undefined ? "none" : value.toFixed(DIGITS)

const rowsOf = Effect.fnUntraced(function* (file: string) {
  return yield* decodeRows(RolloutRow, yield* readFile(file), file)
})

const stepsOf = (rows: ReadonlyArray<RolloutRow>): ReadonlyArray<number> => [...new Set(rows.map(({ step }) => step))]

/** Says of an evaluation's completions what its reading says of them. */
const says = (one: EvaluationReading, steps: ReadonlyArray<number>): string =>
  `step ${steps.join(", ")}, accuracy ${shown(one.accuracy)}, ${ofJson(one)}`

/** Says of a step's completions what metrics.ndjson says of them. */
const stepSays = (rows: ReadonlyArray<RolloutRow>): string => {
  const values = rows.flatMap(({ value }) => (value === null ? [] : [value]))
  const mean = values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
  const tokens = rows.reduce((sum, { length }) => sum + length, 0)
  return `step ${stepsOf(rows).join(", ")}, reward ${shown(mean)}, ${tokens} tokens`
}

/** Compares the completions and the updates of every step. */
const checkSteps = Effect.fnUntraced(function* (
  directory: RunDirectory,
  cell: string,
  events: ReadonlyArray<JournalEvent>,
  metrics: ReadonlyArray<MetricsRow>
) {
  const changed: Array<Change> = []
  for (const event of events) {
    if (event._tag !== "step_generated") continue
    const { step } = event
    const row = metrics.find((one) => one.stage === "train" && one.step === step)?.metrics ?? {}
    const expected = `step ${step}, reward ${shown(row["reward"])}, ${row["tokens/generated"] ?? 0} tokens`
    const what = `completions of step ${step}`
    const found = Effect.map(rowsOf(directory.rollouts(step)), (rows) =>
      changes(cell, { [what]: expected }, { [what]: stepSays(rows) })
    )
    changed.push(...(yield* guarded(cell, what, found)))
    for (const [index, { digest, update }] of event.updates.entries())
      changed.push(
        ...(yield* guarded(
          cell,
          `update ${update}`,
          Effect.as(readUpdate(directory.update(step, index), digest), [] as ReadonlyArray<Change>)
        ))
      )
  }
  return changed
})

/** Compares every reading with its completions, and those before and after training with the metrics too. */
const checkReadings = Effect.fnUntraced(function* (
  directory: RunDirectory,
  cell: string,
  metrics: ReadonlyArray<MetricsRow>
) {
  const changed: Array<Change> = []
  for (const stored of yield* readings(directory)) {
    const { accuracy, set, step } = stored
    const what = `completions of ${set} after step ${step}`
    const again = Effect.map(rowsOf(directory.evaluation(set, step).rollouts), (rows) =>
      changes(cell, { [what]: says(stored, [step]) }, { [what]: says(reading(set, step, rows), stepsOf(rows)) })
    )
    changed.push(...(yield* guarded(cell, what, again)))
    const name = `eval/${set}/accuracy`
    const row = metrics.find((one) => one.stage.startsWith("evaluate_") && one.step === step && name in one.metrics)
    const reads = `accuracy of ${set} after step ${step}`
    if (row !== undefined)
      changed.push(...changes(cell, { [reads]: shown(row.metrics[name]) }, { [reads]: shown(accuracy) }))
  }
  return changed
})

/** Compares what a run's policy said with metrics.ndjson and the readings, and hashes its updates. */
export const checkSamples = Effect.fn("Sweep.checkSamples")(function* (
  directory: RunDirectory,
  cell: string,
  events: ReadonlyArray<JournalEvent>
) {
  const metrics = yield* lines(MetricsRow, directory.metrics)
  const steps = yield* checkSteps(directory, cell, events, metrics)
  return [...steps, ...(yield* checkReadings(directory, cell, metrics))]
})
