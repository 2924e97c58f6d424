/** A run as read back from its directory: all that the report and the notebooks need. */
import * as Schema from "effect/Schema"
import { Lineage } from "./Lineage.ts"
import { Manifest } from "./manifest/Manifest.ts"
import { MetricsRow, TimingsRow } from "./Metrics.ts"
import { PlannedBatch } from "./Plan.ts"
import { ProfileRow } from "./Profile.ts"
import { HistoryRow } from "./QuestionHistory.ts"
import { Components } from "./Score.ts"

/** One evaluated or trained completion, as rollouts.parquet and eval/ hold it (flat). */
export const RolloutRow = Schema.Struct({
  sample_id: Schema.String,
  question_id: Schema.String,
  step: Schema.Int,
  k: Schema.Int,
  thinking: Schema.String,
  level: Schema.NullOr(Schema.String),
  domain: Schema.NullOr(Schema.String),
  question: Schema.String,
  gold: Schema.String,
  text: Schema.String,
  answer: Schema.NullOr(Schema.String),
  finish_reason: Schema.String,
  /** Tokens of the completion. */
  length: Schema.Int,
  /** Sum of the sampler's log-probabilities, nats. */
  logprob: Schema.NullOr(Schema.Finite),
  value: Schema.NullOr(Schema.Finite),
  accuracy: Schema.NullOr(Schema.Finite),
  format: Schema.NullOr(Schema.Finite),
  unscored: Schema.NullOr(Schema.String),
  advantage: Schema.NullOr(Schema.Finite),
  policy_version: Schema.Int
})
export type RolloutRow = typeof RolloutRow.Type

/** Accuracy of one evaluation set at one moment, overall and by level. */
export const EvaluationReading = Schema.Struct({
  set: Schema.String,
  /** Step after which it was read; 0 = before GRPO. */
  step: Schema.Int,
  /** Mean value of scored completions. */
  accuracy: Schema.NullOr(Schema.Finite),
  format: Schema.NullOr(Schema.Finite),
  samples: Schema.Int,
  unscored: Schema.Int,
  by_level: Schema.Array(
    Schema.Struct({ level: Schema.String, accuracy: Schema.NullOr(Schema.Finite), samples: Schema.Int })
  )
})
export type EvaluationReading = typeof EvaluationReading.Type

/** A reading as `eval/<set>/<step>.json` holds it. */
export const EvaluationFile = Schema.Struct({ format: Schema.Literal(1), reading: EvaluationReading })

/** The same question answered before and after GRPO. */
export const ExamplePair = Schema.Struct({
  set: Schema.String,
  question_id: Schema.String,
  thinking: Schema.String,
  question: Schema.String,
  gold: Schema.String,
  first: Schema.Struct({ text: Schema.String, value: Schema.NullOr(Schema.Finite), components: Components }),
  last: Schema.Struct({ text: Schema.String, value: Schema.NullOr(Schema.Finite), components: Components })
})
export type ExamplePair = typeof ExamplePair.Type

export const RunRecord = Schema.Struct({
  run: Schema.String,
  manifest: Manifest,
  lineage: Lineage,
  metrics: Schema.Array(MetricsRow),
  timings: Schema.Array(TimingsRow),
  plan: Schema.Array(PlannedBatch),
  profile: Schema.Array(ProfileRow),
  evaluation: Schema.Array(EvaluationReading),
  examples: Schema.Array(ExamplePair),
  /** What happened to each question; absent where the rollouts were not read. */
  history: Schema.optionalKey(Schema.Array(HistoryRow)),
  /** Refreshes of the curriculum: after which step, why, and what the new profile said. */
  refreshes: Schema.optionalKey(
    Schema.Array(Schema.Struct({ step: Schema.Int, reason: Schema.String, metrics: MetricsRow.fields.metrics }))
  ),
  finished: Schema.Boolean
})
export type RunRecord = typeof RunRecord.Type
