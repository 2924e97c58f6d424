/** metrics.ndjson and timings.ndjson. The first is a projection of the journal, so equal journals give equal bytes; the second is only appended to. */
import { canonicalJson } from "@gradus/domain/Digest"
import type { JournalEvent } from "@gradus/domain/Journal"
import type { MetricsRow, Stage } from "@gradus/domain/Metrics"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { RunFileFailed, writeFile } from "./AtomicFile.ts"
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
  for (const event of events) {
    if (event._tag === "stage_finished") rows.push(...event.rows)
    if (event._tag === "step_generated") {
      generated = event.metrics
      updates = []
    }
    if (event._tag === "update_applied") updates.push(event.metrics)
    if (event._tag === "step_finished")
      rows.push({ format: 1, stage: "train", step: event.step, metrics: stepMetrics(generated, updates) })
  }
  return rows
}

/** Writes rows as they stand in metrics.ndjson: canonical JSON, one a line. */
export const metricsText = (rows: ReadonlyArray<MetricsRow>): string =>
  rows.map((row) => `${canonicalJson(row)}\n`).join("")

export interface Records {
  /** Brings metrics.ndjson up to what the journal says. */
  readonly metrics: (events: ReadonlyArray<JournalEvent>) => Effect.Effect<void, RunFileFailed>
  readonly timings: (
    stage: Stage,
    step: number,
    seconds: Readonly<Record<string, number>>
  ) => Effect.Effect<void, RunFileFailed>
}

const append = (fs: FileSystem.FileSystem, file: string, text: string) =>
  text === ""
    ? Effect.void
    : fs
        .writeFile(file, new TextEncoder().encode(text), { flag: "a" })
        .pipe(Effect.mapError((cause) => new RunFileFailed({ file, operation: "write", reason: cause.message })))

/** Opens both files; metrics.ndjson is written anew from the journal, whatever an earlier attempt left. */
export const openRecords = Effect.fn("Records.open")(function* (
  directory: RunDirectory,
  attempt: number,
  events: ReadonlyArray<JournalEvent>
) {
  const fs = yield* FileSystem.FileSystem
  const first = metricsRows(events)
  yield* writeFile(directory.metrics, metricsText(first))
  let written = first.length
  const metrics = Effect.fn("Records.metrics")(function* (now: ReadonlyArray<JournalEvent>) {
    const rows = metricsRows(now)
    yield* append(fs, directory.metrics, metricsText(rows.slice(written)))
    written = rows.length
  })
  const timings: Records["timings"] = (stage, step, seconds) =>
    append(fs, directory.timings, `${JSON.stringify({ format: 1, attempt, stage, step, seconds })}\n`)
  return { metrics, timings } satisfies Records
})

/** Runs an effect and says how many seconds it took. */
export const timed = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<readonly [A, number], E, R> =>
  Effect.gen(function* () {
    const start = yield* Clock.monotonicTimeNanos
    const value = yield* effect
    return [value, Number((yield* Clock.monotonicTimeNanos) - start) / 1e9] as const
  })
