/** The parts of a run record as arquero tables, which the verbs work on. A table has all its columns even when it has no rows. */
import type { PlanDrawRow } from "@gradus/domain/PlanReport"
import { HistoryRow } from "@gradus/domain/QuestionHistory"
import type { RolloutRow, RunRecord } from "@gradus/domain/RunRecord"
import { type ColumnTable, table } from "arquero"

type Column = ReadonlyArray<unknown>

const tableOf = (columns: Record<string, Column>): ColumnTable => table(columns as Record<string, Array<unknown>>)

/** Makes a table of rows with the named columns, which it has without a row too. */
export const columnsOf = <Row extends object>(rows: ReadonlyArray<Row>, names: ReadonlyArray<keyof Row & string>) =>
  tableOf(Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name])])))

/** Reads the rows of a table as plain objects. `Row` is the caller's knowledge of the columns. */
export const rowsOf = <Row extends object>(source: ColumnTable): ReadonlyArray<Row> => source.objects() as Array<Row>

/** Makes the long table of metrics: `stage`, `step`, `metric`, `value` (null = not finite or not defined). */
export const metricsTable = (record: Pick<RunRecord, "metrics">): ColumnTable =>
  columnsOf(
    record.metrics.flatMap(({ metrics, stage, step }) =>
      Object.entries(metrics).map(([metric, value]) => ({ stage, step, metric, value }))
    ),
    ["stage", "step", "metric", "value"]
  )

/** Makes the long table of times: `attempt`, `stage`, `step`, `phase`, `seconds`. */
export const timingsTable = (record: Pick<RunRecord, "timings">): ColumnTable =>
  columnsOf(
    record.timings.flatMap(({ attempt, seconds, stage, step }) =>
      Object.entries(seconds).map(([phase, value]) => ({ attempt, stage, step, phase, seconds: value }))
    ),
    ["attempt", "stage", "step", "phase", "seconds"]
  )

/** Makes the table of readings: `set`, `step`, `accuracy`, `format`, `scored` (samples that have a score). */
export const evaluationTable = (record: Pick<RunRecord, "evaluation">): ColumnTable =>
  columnsOf(
    record.evaluation.map(({ accuracy, format, samples, set, step, unscored }) => ({
      set,
      step,
      accuracy,
      format,
      scored: samples - unscored
    })),
    ["set", "step", "accuracy", "format", "scored"]
  )

/** Makes the table of readings by level: `set`, `step`, `level`, `accuracy`, `samples`. */
export const levelReadingsTable = (record: Pick<RunRecord, "evaluation">): ColumnTable =>
  columnsOf(
    record.evaluation.flatMap(({ by_level, set, step }) => by_level.map((reading) => ({ set, step, ...reading }))),
    ["set", "step", "level", "accuracy", "samples"]
  )

/** Makes the table of the profile: `question_id`, `n`, `passed`, `rate`. */
export const profileTable = (record: Pick<RunRecord, "profile">): ColumnTable =>
  columnsOf(record.profile, ["question_id", "n", "passed", "rate"])

/** Makes the table of the profile with the length of answers: `question_id`, `n`, `passed`, `rate`, `mean_tokens`. */
export const profileLengthsTable = (record: Pick<RunRecord, "profile">): ColumnTable =>
  columnsOf(record.profile, ["question_id", "n", "passed", "rate", "mean_tokens"])

/** Makes the table of what the profile says of each question: `question_id`, `domain`, `scored`, `rate`. */
export const profileRatesTable = (profile: RunRecord["profile"]): ColumnTable =>
  columnsOf(profile, ["question_id", "domain", "scored", "rate"])

/** Makes the table of trained completions: `sample_id`, `question_id`, `step`, `value`, `advantage`, `policy_version`. */
export const rolloutsTable = (rollouts: ReadonlyArray<RolloutRow>): ColumnTable =>
  columnsOf(rollouts, ["sample_id", "question_id", "step", "value", "advantage", "policy_version"])

/** Makes the table of a run's history, with the columns of `HistoryRow`. */
export const historyTable = (record: Pick<RunRecord, "history">): ColumnTable =>
  columnsOf(record.history ?? [], Object.keys(HistoryRow.fields) as ReadonlyArray<keyof HistoryRow>)

/** Makes the table of what a plan's batches take of each pass rate: `batch`, `rate`, `drawn`, `left`. */
export const planDrawsTable = (draws: ReadonlyArray<PlanDrawRow>): ColumnTable =>
  columnsOf(draws, ["batch", "rate", "drawn", "left"])

/** Makes the table of what the plan draws: `batch`, `question_id`. */
export const drawsTable = (record: Pick<RunRecord, "plan">): ColumnTable =>
  columnsOf(
    record.plan.flatMap(({ batch, questions }) => questions.map((question_id) => ({ batch, question_id }))),
    ["batch", "question_id"]
  )
