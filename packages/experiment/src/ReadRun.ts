/** Reads a run back from its directory alone: no server, no store. */
import { profileRatesTable, rolloutsTable, rowsOf } from "@gradus/analytics/Tables"
import { questionHistory } from "@gradus/analytics/verbs/questionHistory"
import type { JournalEvent } from "@gradus/domain/Journal"
import { Lineage } from "@gradus/domain/Lineage"
import { Manifest } from "@gradus/domain/manifest/Manifest"
import { MetricsRow, TimingsRow } from "@gradus/domain/Metrics"
import { ProfileRow } from "@gradus/domain/Profile"
import type { HistoryRow } from "@gradus/domain/QuestionHistory"
import {
  EvaluationFile,
  type EvaluationReading,
  type ExamplePair,
  RolloutRow,
  type RunRecord
} from "@gradus/domain/RunRecord"
import { decodeRows } from "@gradus/datasets/Parquet"
import { decodePlan } from "@gradus/datasets/PlanTable"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { exists, readFile, readJson, RunFileFailed } from "./AtomicFile.ts"
import { readJournal } from "./Journal.ts"
import { layout, type RunDirectory } from "./RunDirectory.ts"
import { batchesOf } from "./Served.ts"

/** resolved.json: the manifest with everything that it left unsaid, and where each value came from. */
export const ResolvedFile = Schema.Struct({
  format: Schema.Literal(1),
  digest: Schema.String,
  /** Directory that relative paths in the manifest start from. */
  base: Schema.String,
  manifest: Schema.toType(Manifest),
  provenance: Schema.Array(Schema.Unknown)
})

/** Reads a file of JSON lines; none where it is not there. A torn last line is left out. */
export const lines = Effect.fn("ReadRun.lines")(function* <S extends Schema.Top & { readonly DecodingServices: never }>(
  schema: S,
  file: string
) {
  if (!(yield* exists(file))) return []
  const text = new TextDecoder().decode(yield* readFile(file))
  const whole = text.slice(0, text.lastIndexOf("\n") + 1)
  const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(schema))
  return yield* Effect.forEach(whole.split("\n").slice(0, -1), (line) =>
    decode(line).pipe(Effect.mapError((cause) => new RunFileFailed({ file, operation: "read", reason: cause.message })))
  )
})

/** Sets in the order in which a reader wants them: those of the design first. */
const SETS = ["heldout", "hard"]
const place = (set: string): number => (SETS.includes(set) ? SETS.indexOf(set) : SETS.length)
/** Compares two sets by it. */
export const bySet = (a: string, b: string): number => place(a) - place(b) || (a < b ? -1 : 1)

/** Reads every evaluation reading of a run, sets in reading order. */
export const readings = Effect.fn("ReadRun.readings")(function* (directory: RunDirectory) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const root = path.join(directory.root, "eval")
  const list = (folder: string) => fs.readDirectory(folder).pipe(Effect.orElseSucceed(() => []))
  const files: Array<string> = []
  for (const set of (yield* list(root)).toSorted(bySet))
    for (const file of (yield* list(path.join(root, set))).toSorted())
      if (file.endsWith(".json") && !file.startsWith(".")) files.push(path.join(root, set, file))
  return yield* Effect.forEach(files, (file) => Effect.map(readJson(EvaluationFile, file), ({ reading }) => reading))
})

const rollouts = Effect.fn("ReadRun.rollouts")(function* (file: string) {
  return (yield* exists(file)) ? yield* decodeRows(RolloutRow, yield* readFile(file)) : []
})

const side = (row: RolloutRow) => ({
  text: row.text,
  value: row.value,
  components: {
    ...(row.accuracy === null ? {} : { accuracy: row.accuracy }),
    ...(row.format === null ? {} : { format: row.format })
  }
})

const examples = Effect.fn("ReadRun.examples")(function* (
  directory: RunDirectory,
  evaluation: ReadonlyArray<EvaluationReading>,
  count: number
) {
  const sets = [...new Set(evaluation.map((one) => one.set))]
  const pairs: Array<ExamplePair> = []
  for (const set of sets) {
    const last = Math.max(...evaluation.filter((one) => one.set === set).map((one) => one.step))
    const after = new Map(
      (yield* rollouts(directory.evaluation(set, last).rollouts)).map((row) => [`${row.question_id}/${row.k}`, row])
    )
    const before = (yield* rollouts(directory.evaluation(set, 0).rollouts)).filter((row) => row.k === 0)
    for (const first of before.slice(0, Math.ceil(count / sets.length))) {
      const then = after.get(`${first.question_id}/0`)
      if (then === undefined || last === 0) continue
      const { question_id, thinking, question, gold } = first
      pairs.push({ set, question_id, thinking, question, gold, first: side(first), last: side(then) })
    }
  }
  return pairs
})

const planOf = Effect.fn("ReadRun.plan")(function* (directory: RunDirectory) {
  return (yield* exists(directory.plan)) ? yield* decodePlan(yield* readFile(directory.plan)) : []
})

/** Why and when the course was begun anew. */
const refreshes = (events: ReadonlyArray<JournalEvent>): NonNullable<RunRecord["refreshes"]> =>
  events.flatMap((event) =>
    event._tag === "course_refreshed"
      ? [{ step: event.step, reason: event.reason, metrics: event.rows[0]?.metrics ?? {} }]
      : []
  )

/** What happened to each question, from the completions of every step. */
const history = Effect.fn("ReadRun.history")(function* (
  directory: RunDirectory,
  rates: ReadonlyArray<ProfileRow>,
  events: ReadonlyArray<JournalEvent>
) {
  const steps = events.flatMap((event) => (event._tag === "step_generated" ? [event.step] : []))
  const rows = yield* Effect.forEach(steps, (step) => rollouts(directory.rollouts(step)))
  if (rows.length === 0) return []
  return rowsOf<HistoryRow>(questionHistory(profileRatesTable(rates))(rolloutsTable(rows.flat())))
})

/** Reads everything that a report needs. Works on unfinished runs too. */
export const readRun = Effect.fn("ReadRun.readRun")(function* (root: string) {
  const directory = yield* layout(root)
  const resolved = yield* readJson(ResolvedFile, directory.resolved)
  const evaluation = yield* readings(directory)
  const { events } = yield* readJournal(directory.journal)
  const rates = (yield* exists(directory.profile))
    ? yield* decodeRows(ProfileRow, yield* readFile(directory.profile))
    : []
  const record: RunRecord = {
    run: directory.run,
    manifest: resolved.manifest,
    lineage: yield* readJson(Lineage, directory.lineage),
    metrics: yield* lines(MetricsRow, directory.metrics),
    timings: yield* lines(TimingsRow, directory.timings),
    plan: batchesOf(resolved.manifest, events, yield* planOf(directory)),
    profile: rates,
    history: yield* history(directory, rates, events),
    refreshes: refreshes(events),
    evaluation,
    examples: yield* examples(directory, evaluation, resolved.manifest.report.examples),
    finished: events.some((event) => event._tag === "run_finished")
  }
  return record
})
