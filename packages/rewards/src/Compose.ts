/** Composition: the parts of a score become one value. */
import type { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import type { Components, UnscoredReason } from "@gradus/domain/Score"

/** A value, or why there is none. */
export interface Composed {
  readonly value: number | null
  readonly unscored?: UnscoredReason
}

/**
 * Multiplies accuracy and format, as the paper's code does; a part that is not measured is a factor of 1. What is unscored stays
 * unscored. A truncated completion is worth 0 under both rules, `zero` and `mask`, and counts in the baseline.
 */
export const compose = (components: Components, truncated: boolean, unscored?: UnscoredReason): Composed => {
  if (unscored !== undefined) return { value: null, unscored }
  return { value: truncated ? 0 : (components.accuracy ?? 1) * (components.format ?? 1) }
}

/** Says whether a completion's tokens are trained on: under `mask` a truncated one is left out of the loss (overlong filtering). */
export const inLoss = (rule: RewardsSpec["truncated"], truncated: boolean): boolean => rule === "zero" || !truncated
