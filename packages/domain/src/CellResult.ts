/** What a sweep keeps of a finished cell: small enough to be committed, and all that statistics and charts read. */
import * as Schema from "effect/Schema"

/** One reading of an evaluation set, with what had been spent when it was taken. */
export const CurvePoint = Schema.Struct({
  set: Schema.String,
  /** Step after which it was read; 0 = before GRPO. */
  step: Schema.Int,
  accuracy: Schema.NullOr(Schema.Finite),
  samples: Schema.Int,
  unscored: Schema.Int,
  /** Tokens generated for training up to here, those of groups that taught nothing too. */
  tokens: Schema.Finite,
  /** Optimizer updates up to here. */
  updates: Schema.Int
})
export type CurvePoint = typeof CurvePoint.Type

export const CellResult = Schema.Struct({
  format: Schema.Literal(1),
  /** Identity of the cell, or of the run where it belongs to no sweep. */
  cell: Schema.String,
  seed: Schema.Int,
  manifest_digest: Schema.String,
  dataset_digest: Schema.String,
  /** Digest of the weights that training started from: cells pair only when it is equal. */
  start: Schema.String,
  digest: Schema.Struct({ plan: Schema.String, metrics: Schema.String, weights: Schema.String }),
  steps: Schema.Int,
  updates: Schema.Int,
  tokens: Schema.Finite,
  seconds: Schema.Finite,
  /** Questions drawn, and different ones among them: an order whose pool is smaller repeats it. */
  drawn: Schema.Int,
  distinct: Schema.Int,
  curve: Schema.Array(CurvePoint),
  /** Mean reward of each step's own batch. */
  reward: Schema.Array(Schema.NullOr(Schema.Finite)),
  /** Share of each step's groups without variance. */
  silent: Schema.Array(Schema.NullOr(Schema.Finite)),
  /** Determinism class of each stage. */
  stages: Schema.Record(Schema.String, Schema.Literals(["bitwise", "seeded", "external"])),
  /** Where the run was made, from its lineage, which does not travel with the summary; absent in summaries from before it was kept. */
  origin: Schema.optionalKey(
    Schema.Struct({
      /** null where the code was under no version control. */
      commit: Schema.NullOr(Schema.String),
      torch: Schema.String,
      device: Schema.String,
      /** The host's processor. */
      processor: Schema.String
    })
  )
})
export type CellResult = typeof CellResult.Type
