/**
 * Learnability (LILO; Foster et al. 2025, arXiv 2502.12272): a question is drawn with weight p (1 - p), the variance of its reward, where p
 * is its latest pass rate. Rates are taken on a grid of 1/64.
 */
import * as Schema from "effect/Schema"
import { weightedBatcher, type WeightedOptions } from "../WeightedBatcher.ts"

export interface LearnabilityOptions extends WeightedOptions {
  /** Added to every weight, so that questions now at 0 or 1 come back; absent: 0.01. 0 lets them starve. */
  readonly floor?: number | undefined
}

const grid = 64
/** p and 1 - p weigh the same and share a tier: half as many tiers are half as many swaps a move. */
const tiers = grid / 2 + 1
const Own = Schema.Struct({ floor: Schema.Finite })

/** Serves questions by how much their reward varies. */
export const learnability = weightedBatcher<typeof Own.Type, LearnabilityOptions>({
  own: Own,
  init: ({ floor }) => ({ floor: floor ?? 0.01 }),
  weights: ({ floor }) => Float64Array.from({ length: tiers }, (_, tier) => (tier / grid) * (1 - tier / grid) + floor),
  tierOf: (_, rate) => Math.min(Math.round(rate * grid), grid - Math.round(rate * grid))
})
