/**
 * The balanced band (Bae et al. 2025, arXiv 2504.03380, "Online difficulty filtering"): questions whose latest pass rate is in [low, high],
 * by default [.2, .8], are drawn evenly. Those outside are drawn seldom instead of never, so that no question is lost for good.
 */
import * as Schema from "effect/Schema"
import { weightedBatcher, type WeightedOptions } from "../WeightedBatcher.ts"

export interface BalancedOptions extends WeightedOptions {
  /** The band, both ends included; absent: .2 and .8. */
  readonly low?: number | undefined
  readonly high?: number | undefined
  /** Weight of a question outside of the band, relative to one inside; absent: 0.02. 0 lets them starve. */
  readonly outside?: number | undefined
}

const Own = Schema.Struct({ low: Schema.Finite, high: Schema.Finite, outside: Schema.Finite })

/** Serves questions that are neither nearly always nor nearly never answered. */
export const balanced = weightedBatcher<typeof Own.Type, BalancedOptions>({
  own: Own,
  init: ({ high, low, outside }) => ({ low: low ?? 0.2, high: high ?? 0.8, outside: outside ?? 0.02 }),
  weights: ({ outside }) => Float64Array.of(outside, 1),
  tierOf: ({ high, low }, rate) => (rate >= low && rate <= high ? 1 : 0),
  metrics: (_, counts) => ({ "curriculum/in_band": counts[1] ?? 0 })
})
