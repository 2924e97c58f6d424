/** Profiles: how often a reference policy answers each question of a set correctly. */
import * as Schema from "effect/Schema"

export const ProfileRow = Schema.Struct({
  question_id: Schema.String,
  domain: Schema.NullOr(Schema.String),
  /** Samples that were asked for. */
  n: Schema.Int,
  /** Samples with a score. */
  scored: Schema.Int,
  /** Scored samples with value >= the pass mark. */
  passed: Schema.Int,
  /** passed / scored; null when nothing was scored. */
  rate: Schema.NullOr(Schema.Finite),
  /** Bounds of the Beta posterior's credible interval; null when nothing was scored. */
  low: Schema.NullOr(Schema.Finite),
  high: Schema.NullOr(Schema.Finite),
  truncated: Schema.Int,
  mean_tokens: Schema.Finite
})
export type ProfileRow = typeof ProfileRow.Type

/** What the curriculum knows of a question: its pass rate as a count, and its domain. */
export interface RatedQuestion {
  readonly question_id: string
  readonly passed: number
  readonly scored: number
  readonly domain?: string | undefined
}

export const DropReason = Schema.Literals(["too_easy", "below_floor", "unscored"])
export type DropReason = typeof DropReason.Type

/** What the filter decided for a question. */
export const FilterRow = Schema.Struct({
  question_id: Schema.String,
  passed: Schema.Int,
  scored: Schema.Int,
  rate: Schema.NullOr(Schema.Finite),
  kept: Schema.Boolean,
  reason: Schema.NullOr(DropReason)
})
export type FilterRow = typeof FilterRow.Type
