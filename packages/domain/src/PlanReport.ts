/** What there is to see of a plan before any GPU is used: how near each batch comes to its target, and when each pool runs dry. */
import * as Schema from "effect/Schema"

export const PlanBatchRow = Schema.Struct({
  batch: Schema.Int,
  questions: Schema.Int,
  /** Mean pass rate aimed at and drawn; null where the batcher aims at none. */
  target_mean: Schema.NullOr(Schema.Finite),
  achieved_mean: Schema.Finite,
  /** Width of the target distribution in pass rate, where it has one. */
  sigma: Schema.NullOr(Schema.Finite),
  fill: Schema.Int,
  /** fill / questions. */
  fill_share: Schema.Finite,
  /** Wasserstein-1 distance between the target distribution and that of the batch, in pass rate: how far a question stands off on average. */
  distance: Schema.NullOr(Schema.Finite),
  /** Total variation distance: the share of the batch that would have to be exchanged. */
  total_variation: Schema.NullOr(Schema.Finite)
})
export type PlanBatchRow = typeof PlanBatchRow.Type

/** A level of one domain ("" where domains are not told apart) and its life. */
export const PlanPoolRow = Schema.Struct({
  domain: Schema.String,
  rate: Schema.Finite,
  questions: Schema.Int,
  /** First batch that draws from it; null: none does. */
  first_batch: Schema.NullOr(Schema.Int),
  /** The batch after which nothing is left of it; null: something is left, or questions are drawn again. */
  dry_after: Schema.NullOr(Schema.Int),
  left: Schema.Int
})
export type PlanPoolRow = typeof PlanPoolRow.Type

/** What a batch takes of a rate, all domains together, what it wanted, and what is left of it then. */
export const PlanDrawRow = Schema.Struct({
  batch: Schema.Int,
  rate: Schema.Finite,
  wanted_share: Schema.NullOr(Schema.Finite),
  drawn: Schema.Int,
  left: Schema.Int
})
export type PlanDrawRow = typeof PlanDrawRow.Type

export const PlanReport = Schema.Struct({
  format: Schema.Literal(1),
  /** Name of the curriculum in comparisons. */
  name: Schema.String,
  batches: Schema.Array(PlanBatchRow),
  pools: Schema.Array(PlanPoolRow),
  draws: Schema.Array(PlanDrawRow),
  /** In words: what a reader should know before he pays for the run. */
  warnings: Schema.Array(Schema.String)
})
export type PlanReport = typeof PlanReport.Type

/** One curriculum of a comparison, in figures. */
export const PlanSummary = Schema.Struct({
  name: Schema.String,
  batches: Schema.Int,
  questions: Schema.Int,
  first_mean: Schema.NullOr(Schema.Finite),
  last_mean: Schema.NullOr(Schema.Finite),
  /** Mean over the batches. */
  fill_share: Schema.Finite,
  distance: Schema.NullOr(Schema.Finite),
  /** First batch of which more than half is fill; null: none is. */
  mostly_fill_from: Schema.NullOr(Schema.Int),
  /** Spearman's correlation of batch number and achieved mean: -1 when it falls throughout, 0 for a random order. */
  order: Schema.NullOr(Schema.Finite),
  /** Expected share of groups that teach nothing, p^G + (1 - p)^G at the profile's rates. */
  silent_share: Schema.NullOr(Schema.Finite)
})
export type PlanSummary = typeof PlanSummary.Type
