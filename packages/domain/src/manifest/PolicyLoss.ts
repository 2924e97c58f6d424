/** `train.loss:` the surrogate that is minimised, and what is done about a sampler that is not quite the policy. */
import * as Schema from "effect/Schema"
import { defaulted } from "./Defaulted.ts"
import { NonNegative, Positive } from "./Numbers.ts"

/** Weights by w = exp(o - m), with o the policy before the update and m the sampler. */
export const ImportanceSpec = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("none") }),
  /** min(w, cap) of each token. */
  Schema.Struct({ kind: Schema.Literal("truncate"), cap: defaulted(Positive, 2) }),
  /** w of each token inside of the bounds, 0 outside. */
  Schema.Struct({
    kind: Schema.Literal("icepop"),
    low: defaulted(NonNegative, 0.5),
    high: defaulted(Positive, 5)
  }),
  /** 1 where the geometric mean of w over the sequence is inside of the bounds, 0 outside. */
  Schema.Struct({
    kind: Schema.Literal("sequence_mask"),
    low: defaulted(NonNegative, 0.99),
    high: defaulted(Positive, 1.01)
  })
])
export type ImportanceSpec = typeof ImportanceSpec.Type

export const PolicyLossSpec = Schema.Struct({
  /** A clipped ratio of each token (GRPO, DAPO, Dr. GRPO), a clipped constant weight (CISPO), or a clipped ratio of each sequence (GSPO). */
  kind: defaulted(Schema.Literals(["clipped", "cispo", "gspo"]), "clipped"),
  clip_low: defaulted(Positive, 0.2),
  clip_high: defaulted(Positive, 0.2),
  /** Weight of the k3 penalty to the reference. */
  kl_coef: defaulted(NonNegative, 0),
  /** Weight of the entropy bonus. */
  entropy_coef: defaulted(NonNegative, 0),
  importance: defaulted(ImportanceSpec, { kind: "none" })
})
export type PolicyLossSpec = typeof PolicyLossSpec.Type
