/** A rejudgement: what stored completions are worth when they are scored again, and what that would have changed. */
import * as Schema from "effect/Schema"

const Worth = Schema.Struct({
  value: Schema.NullOr(Schema.Finite),
  unscored: Schema.NullOr(Schema.String),
  advantage: Schema.NullOr(Schema.Finite)
})

/** One completion whose worth is another one now. */
export const ChangedSample = Schema.Struct({
  sample_id: Schema.String,
  question_id: Schema.String,
  step: Schema.Int,
  before: Worth,
  after: Worth
})
export type ChangedSample = typeof ChangedSample.Type

const GroupWorth = Schema.Struct({
  /** Mean of the scored values; null where there is none. */
  mean: Schema.NullOr(Schema.Finite),
  scored: Schema.Int,
  /** Fewer were scored than the floor: the group was not trained on. */
  dropped: Schema.Boolean,
  /** Its rate is outside the band of the run's gate: it was not trained on either. Absent without a gate. */
  turned_away: Schema.optionalKey(Schema.Boolean),
  zero_variance: Schema.Boolean
})

/** One group whose completions are worth something else now. */
export const ChangedGroup = Schema.Struct({
  /** The samples' name without their number: with a gate a question may have two groups in a step. */
  group_id: Schema.String,
  question_id: Schema.String,
  step: Schema.Int,
  before: GroupWorth,
  after: GroupWorth
})
export type ChangedGroup = typeof ChangedGroup.Type

export const RejudgeSummary = Schema.Struct({
  completions: Schema.Int,
  /** Completions that were scored again. */
  rescored: Schema.Int,
  unscored_before: Schema.Int,
  unscored_after: Schema.Int,
  values_changed: Schema.Int,
  advantages_changed: Schema.Int,
  groups_changed: Schema.Int,
  /** Groups that were dropped, or turned away by a gate, and would have been trained on. */
  groups_regained: Schema.Int,
  /** Groups that were trained on and would have been dropped or turned away. */
  groups_lost: Schema.Int,
  mean_before: Schema.NullOr(Schema.Finite),
  mean_after: Schema.NullOr(Schema.Finite),
  /** Money that scoring again has cost; null where nothing has a price. */
  cost: Schema.NullOr(Schema.Finite)
})
export type RejudgeSummary = typeof RejudgeSummary.Type
