/** `profile:`, `filter:` and `curriculum:` how hard questions are for the policy, which are kept, and in which order they are served. */
import * as Schema from "effect/Schema"
import { defaulted } from "./Defaulted.ts"
import { Count, Positive, Share } from "./Numbers.ts"

export const ProfileSpec = Schema.Struct({
  samples: defaulted(Count, 8),
  /** A scored completion passes when its value is at least this. */
  pass_mark: defaulted(Share, 1),
  /** One-sided credible level of the interval. */
  credible_level: defaulted(Share, 0.9)
})
export type ProfileSpec = typeof ProfileSpec.Type

export const FilterSpec = Schema.Struct({
  /** Questions with a pass rate at or above this are dropped (paper: 0.75). */
  drop_at: defaulted(Schema.Finite.check(Schema.isGreaterThan(0)), 0.75),
  /** Questions below this are dropped; absent: questions that are never answered stay (paper). */
  floor: Schema.optionalKey(Share)
})
export type FilterSpec = typeof FilterSpec.Type

export const GaussianBatcher = Schema.Struct({
  batcher: Schema.Literal("gaussian"),
  /** Width of the target distribution, in pass rate. */
  sigma: defaulted(Positive, 0.12),
  centre: defaulted(Schema.Literal("linear"), "linear"),
  /** First and last centre; absent: the highest and the lowest kept pass rate. */
  start: Schema.optionalKey(Share),
  end: Schema.optionalKey(Share),
  last_batch: defaulted(Schema.Literals(["partial", "drop"]), "partial")
})

export const UniformBatcher = Schema.Struct({
  batcher: Schema.Literal("uniform"),
  last_batch: defaulted(Schema.Literals(["partial", "drop"]), "partial")
})

export const CurriculumSpec = Schema.Union([GaussianBatcher, UniformBatcher])
export type CurriculumSpec = typeof CurriculumSpec.Type
