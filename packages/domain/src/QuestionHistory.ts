/** What happened to each question in a run: one row each time that it was drawn, beside what the profile said before. */
import * as Schema from "effect/Schema"

export const HistoryRow = Schema.Struct({
  question_id: Schema.String,
  domain: Schema.NullOr(Schema.String),
  /** Pass rate and samples of the profile; null for questions that it lacks or could not score. */
  profile_rate: Schema.NullOr(Schema.Finite),
  profile_samples: Schema.Int,
  /** The step that drew it, and how often it had been drawn until then, this time included. */
  step: Schema.Int,
  visit: Schema.Int,
  samples: Schema.Int,
  scored: Schema.Int,
  /** Mean value of the scored completions; null where there is none. */
  group_mean: Schema.NullOr(Schema.Finite),
  /** Mean absolute advantage that was given; 0 for a group that taught nothing, null for one that was dropped. */
  advantage: Schema.NullOr(Schema.Finite),
  /** Completions that were trained on with an advantage other than 0. */
  taught: Schema.Int,
  /** Number of applied updates of the policy that answered. */
  policy_version: Schema.Int
})
export type HistoryRow = typeof HistoryRow.Type
