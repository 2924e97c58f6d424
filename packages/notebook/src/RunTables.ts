/** A run's record as tables to look at: those of the charts, and what stands in the report's own tables. */
import { accuracyChange, scored, setReadings } from "@gradus/analytics/report/Readings"
import { isSimulated } from "@gradus/analytics/Simulated"
import { columnsOf, evaluationTable, historyTable, metricsTable, timingsTable } from "@gradus/analytics/Tables"
import { withWilson } from "@gradus/analytics/verbs/withWilson"
import { ProfileRow } from "@gradus/domain/Profile"
import type { RunRecord } from "@gradus/domain/RunRecord"
import type { ColumnTable } from "arquero"

export interface RunTables {
  /** `stage`, `step`, `metric`, `value`. */
  readonly metrics: ColumnTable
  /** `attempt`, `stage`, `step`, `phase`, `seconds`. */
  readonly timings: ColumnTable
  /** `set`, `step`, `accuracy`, `format`, `scored`, and Wilson's bounds `low` and `high`. */
  readonly evaluation: ColumnTable
  /** One row a set: `before` and `after` the training, `change` and its standard error (shares). */
  readonly change: ColumnTable
  /** One row a batch: `batch`, `questions` (how many), `target` and `drawn` (mean pass rates). */
  readonly plan: ColumnTable
  /** The rows of profile.parquet. */
  readonly profile: ColumnTable
  /** One row a question and step: what the profile said of it and what it got. */
  readonly history: ColumnTable
}

const change = (record: RunRecord): ColumnTable =>
  columnsOf(
    setReadings(record).map((readings) => {
      const { compared, first, last, set } = readings
      const moved = accuracyChange(readings)
      return {
        set,
        before: compared ? first.accuracy : null,
        after: last.accuracy,
        change: moved?.difference ?? null,
        error: moved?.error ?? null,
        scored: scored(last),
        unscored: last.unscored
      }
    }),
    ["set", "before", "after", "change", "error", "scored", "unscored"]
  )

const plan = (record: RunRecord): ColumnTable =>
  columnsOf(
    record.plan.map(({ achievedMean, batch, questions, targetMean }) => ({
      batch,
      questions: questions.length,
      target: targetMean,
      drawn: achievedMean
    })),
    ["batch", "questions", "target", "drawn"]
  )

/** Makes the tables of a record. */
export const runTables = (record: RunRecord): RunTables => ({
  metrics: metricsTable(record),
  timings: timingsTable(record),
  evaluation: withWilson(evaluationTable(record)),
  change: change(record),
  plan: plan(record),
  profile: columnsOf(record.profile, Object.keys(ProfileRow.fields) as ReadonlyArray<keyof ProfileRow>),
  history: historyTable(record)
})

/** Says in a few lines what a run is. */
export const factsOf = (record: RunRecord): Readonly<Record<string, string | number>> => {
  const { finished, lineage, manifest, metrics, run } = record
  return {
    run,
    state: finished ? "finished" : "not finished",
    ...(isSimulated(record) ? { simulation: "no language model was run" } : {}),
    policy: manifest.policy.kind,
    questions: manifest.questions.kind,
    batcher: manifest.curriculum.batcher,
    accuracy: manifest.rewards.accuracy,
    seed: manifest.seed,
    steps: metrics.filter(({ stage, step }) => stage === "train" && step > 0).length,
    device: lineage.trainer.device,
    commit: lineage.commit?.slice(0, 12) ?? "unknown",
    created: lineage.created
  }
}
