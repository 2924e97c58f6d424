/** A sweep as it is written: a base manifest, what is varied, and over which seeds. */
import { defaulted } from "@gradus/domain/manifest/Defaulted"
import { Count, Index, Name, RootSeed, Share, Text } from "@gradus/domain/manifest/Numbers"
import * as Schema from "effect/Schema"

/** Values by the path of a manifest, as `curriculum.sigma`. */
const Settings = Schema.Record(Schema.String, Schema.Unknown)
const Values = Schema.Record(Schema.String, Schema.NonEmptyArray(Schema.Unknown))

const Range = Schema.Tuple([Schema.Finite, Schema.Finite])

/** How a random value is drawn; exactly one key is given. `integer` includes both ends, `log_uniform` is uniform in the logarithm. */
export const Distribution = Schema.Struct({
  uniform: Schema.optionalKey(Range),
  log_uniform: Schema.optionalKey(Range),
  integer: Schema.optionalKey(Range),
  choice: Schema.optionalKey(Schema.NonEmptyArray(Schema.Unknown))
})
export type Distribution = typeof Distribution.Type

export const RandomAxis = Schema.Struct({
  draws: Count,
  /** Seed of the draws, which has nothing to do with those of the cells. */
  draw_seed: defaulted(RootSeed, 0),
  parameters: Schema.Record(Schema.String, Distribution)
})

/** One axis; exactly one key is given. Axes multiply. */
export const Axis = Schema.Struct({
  /** Every combination of the values. */
  grid: Schema.optionalKey(Values),
  /** Named settings, one after the other. */
  list: Schema.optionalKey(Schema.Record(Name, Settings)),
  /** Values that go together: the first of each path, the second of each, and so on. */
  linked: Schema.optionalKey(Values),
  random: Schema.optionalKey(RandomAxis)
})

/** Ends weak arms early: at each rung the arms are ranked by the mean reading over all seeds, and a share goes on. Off unless it is written. */
export const SuccessiveHalving = Schema.Struct({
  rule: Schema.Literal("successive_halving"),
  /** Steps after which readings are compared; each must have a reading. */
  rungs: Schema.NonEmptyArray(Count),
  /** Share of the arms that goes on, at least one. */
  keep: defaulted(Share, 0.5)
})
export type SuccessiveHalving = typeof SuccessiveHalving.Type

export const SweepSpec = Schema.Struct({
  version: Schema.Literal(1),
  name: Name,
  description: Schema.optionalKey(Text),
  /** The manifest that all cells share, relative to this file. */
  base: Text.check(Schema.isMinLength(1)),
  /** Settings of all cells. */
  set: defaulted(Settings, {}),
  axes: defaulted(Schema.Array(Axis), []),
  seeds: Schema.NonEmptyArray(RootSeed),
  /** What is compared: the accuracy of this evaluation set. */
  metric: defaulted(Schema.Struct({ set: Text, target: Schema.optionalKey(Share) }), { set: "heldout" }),
  /** The arm that others are compared with; absent: the first. */
  baseline: Schema.optionalKey(Text),
  early_stop: Schema.optionalKey(SuccessiveHalving),
  /** Directory of the finished cells' summaries, relative to this file; absent: beside the plan. */
  results: Schema.optionalKey(Text),
  /** Resamples of every interval. */
  resamples: defaulted(Index, 10_000)
})
export type SweepSpec = typeof SweepSpec.Type
