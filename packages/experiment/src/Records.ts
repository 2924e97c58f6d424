/** metrics.ndjson and timings.ndjson. The first is a projection of the journal, so equal journals give equal bytes; the second is only appended to. */
import { canonicalJson } from "@gradus/domain/Digest"
import type { JournalEvent } from "@gradus/domain/Journal"
import type { MetricsRow, Stage } from "@gradus/domain/Metrics"
import { MetricsSink } from "@gradus/domain/MetricsSink"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { exists, readFile, RunFileFailed, writeFile } from "./AtomicFile.ts"
import { type OwnerLost, verify } from "./Owner.ts"
import type { RunDirectory } from "./RunDirectory.ts"

type Metrics = MetricsRow["metrics"]

const mean = (values: ReadonlyArray<number | null>): number | null =>
  values.some((value) => value === null)
    ? null
    : values.reduce<number>((sum, value) => sum + (value ?? 0), 0) / values.length

/** Averages the metrics of a step's updates (one update: as they are) and puts them beside those of its completions. */
export const stepMetrics = (generated: Metrics, updates: ReadonlyArray<Metrics>): Metrics => {
  const names = new Set(updates.flatMap((update) => Object.keys(update)))
  // null is a value (not finite, in one update) and makes the mean null; a name that an update lacks is not
  const values = (name: string) => updates.flatMap((update) => (name in update ? [update[name] ?? null] : []))
  const averaged = [...names].map((name) => [name, mean(values(name))] as const)
  return { ...Object.fromEntries(averaged), ...generated }
}

/** Draws the rows of metrics.ndjson from a journal. */
export const metricsRows = (events: ReadonlyArray<JournalEvent>): ReadonlyArray<MetricsRow> => {
  const rows: Array<MetricsRow> = []
  let generated: Metrics = {}
  let updates: Array<Metrics> = []
  let judge: Metrics = {}
  for (const event of events) {
    if (event._tag === "stage_finished" || event._tag === "course_refreshed") rows.push(...event.rows)
    if (event._tag === "step_generated") {
      generated = event.metrics
      updates = []
      judge = {}
    }
    if (event._tag === "update_applied") updates.push(event.metrics)
    if (event._tag === "judge_read") {
      if (event.step === 0) rows.push({ format: 1, stage: "train", step: 0, metrics: event.metrics })
      else judge = event.metrics
    }
    if (event._tag === "step_finished")
      rows.push({
        format: 1,
        stage: "train",
        step: event.step,
        metrics: { ...stepMetrics(generated, updates), ...judge }
      })
  }
  return rows
}

/** Writes rows as they stand in metrics.ndjson: canonical JSON, one a line. */
export const metricsText = (rows: ReadonlyArray<MetricsRow>): string =>
  rows.map((row) => `${canonicalJson(row)}\n`).join("")

export interface Records {
  /** Brings metrics.ndjson up to what the journal says. */
  readonly metrics: (events: ReadonlyArray<JournalEvent>) => Effect.Effect<void, RunFileFailed | OwnerLost>
  readonly timings: (
    stage: Stage,
    step: number,
    seconds: Readonly<Record<string, number>>
  ) => Effect.Effect<void, RunFileFailed | OwnerLost>
}

const failed = (file: string) => (cause: { readonly message: string }) =>
  new RunFileFailed({ file, operation: "write", reason: cause.message })

/** Opens a file for appending. What its path means later does not matter: an owner that was replaced appends to a file that nobody reads. */
const appender = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const handle = yield* Effect.mapError(fs.open(file, { flag: "a" }), failed(file))
  return (text: string) =>
    text === ""
      ? Effect.void
      : Effect.andThen(verify, Effect.mapError(handle.writeAll(new TextEncoder().encode(text)), failed(file)))
})

/** Cuts off a last line that a killed attempt left torn: the next one would be written to its end. */
export const cutTorn = Effect.fn("Records.cutTorn")(function* (file: string) {
  if (!(yield* exists(file))) return
  const bytes = yield* readFile(file)
  const whole = bytes.lastIndexOf(0x0a) + 1
  if (whole < bytes.length) yield* writeFile(file, bytes.subarray(0, whole))
})

/** Opens both files; metrics.ndjson is written anew from the journal, whatever an earlier attempt left. */
export const openRecords = Effect.fn("Records.open")(function* (
  directory: RunDirectory,
  attempt: number,
  events: ReadonlyArray<JournalEvent>
) {
  const sink = yield* MetricsSink
  const first = metricsRows(events)
  yield* writeFile(directory.metrics, metricsText(first))
  yield* cutTorn(directory.timings)
  const appendMetrics = yield* appender(directory.metrics)
  const appendTimings = yield* appender(directory.timings)
  let written = first.length
  const metrics = Effect.fn("Records.metrics")(function* (now: ReadonlyArray<JournalEvent>) {
    const rows = metricsRows(now)
    const added = rows.slice(written)
    yield* appendMetrics(metricsText(added))
    written = rows.length
    if (added.length > 0) yield* sink(added)
  })
  const timings: Records["timings"] = (stage, step, seconds) =>
    appendTimings(`${JSON.stringify({ format: 1, attempt, stage, step, seconds })}\n`)
  return { metrics, timings } satisfies Records
})

/** Runs an effect and says how many seconds it took. */
export const timed = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<readonly [A, number], E, R> =>
  Effect.gen(function* () {
    const start = yield* Clock.monotonicTimeNanos
    const value = yield* effect
    return [value, Number((yield* Clock.monotonicTimeNanos) - start) / 1e9] as const
  })
