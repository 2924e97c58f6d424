/** Rows of metrics.ndjson (what was learnt: equal bytes for equal seeds) and timings.ndjson (what it cost: never equal). */
import * as Schema from "effect/Schema"

export const Stage = Schema.Literals([
  "warmup",
  "profile",
  "filter",
  "plan",
  "evaluate_first",
  "train",
  "refresh",
  "evaluate_last",
  "report"
])
export type Stage = typeof Stage.Type

/** Names are TRL's where one exists (`reward`, `frac_reward_zero_std`, `completions/mean_length`, `clip_ratio/low_mean`, `entropy`, `kl`). null = not finite or not defined. */
export const MetricsRow = Schema.Struct({
  format: Schema.Literal(1),
  stage: Stage,
  /** Step in its stage, from 1; 0 for what a stage says once. */
  step: Schema.Int,
  metrics: Schema.Record(Schema.String, Schema.NullOr(Schema.Finite))
})
export type MetricsRow = typeof MetricsRow.Type

export const TimingsRow = Schema.Struct({
  format: Schema.Literal(1),
  attempt: Schema.Int,
  stage: Stage,
  step: Schema.Int,
  /** Seconds by phase: `generate`, `score`, `update`, `record`, `step`, … */
  seconds: Schema.Record(Schema.String, Schema.Finite)
})
export type TimingsRow = typeof TimingsRow.Type
