/** Verdicts as a run stores them beside its rollouts (flat): what a judge said of a completion, so that it can be read and judged again. */
import * as Schema from "effect/Schema"

export const VerdictRecord = Schema.Struct({
  sample_id: Schema.String,
  /** yes, no, unreadable or failed. */
  verdict: Schema.String,
  reply: Schema.NullOr(Schema.String),
  model: Schema.String,
  prompt_digest: Schema.String,
  prompt_tokens: Schema.Int,
  completion_tokens: Schema.Int,
  ms: Schema.Finite,
  /** Money, in the currency of the manifest's price table; null where the model has no price. */
  cost: Schema.NullOr(Schema.Finite),
  cached: Schema.Boolean,
  /** Why the guard refused the answer. */
  guard: Schema.NullOr(Schema.String),
  failure: Schema.NullOr(Schema.String)
})
export type VerdictRecord = typeof VerdictRecord.Type
