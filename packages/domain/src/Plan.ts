/** Plans: every batch of a run, written before the first one is trained on. */
import * as Schema from "effect/Schema"

export const PlannedBatch = Schema.Struct({
  /** From 1: the step that draws it. */
  batch: Schema.Int,
  /** Question ids in the order in which they are asked. */
  questions: Schema.Array(Schema.String),
  /** Centre of the target distribution over pass rates; null for batchers that have none. */
  targetMean: Schema.NullOr(Schema.Finite),
  /** Mean pass rate of the questions drawn. */
  achievedMean: Schema.Finite,
  /** Questions that were not allocated by the target but filled from the largest pool. */
  fill: Schema.Int
})
export type PlannedBatch = typeof PlannedBatch.Type
