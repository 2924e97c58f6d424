/**
 * E2H-Gaussian (Parashar et al. 2025, "Curriculum RL from easy to hard tasks"): levels k = 0 (easiest) .. K - 1 are drawn with weight
 * exp(-(k - mu)^2 / 2 sigma^2), mu = (t / T)^beta (K - 1), sigma in levels, no share below a floor of 2 / (K (K + 1)).
 */
import * as Schema from "effect/Schema"
import { gaussianShares } from "../Allocation.ts"
import type { DrawOptions, Target } from "../Batcher.ts"
import { drawLevels } from "../Categorical.ts"
import type { Deck } from "../Deck.ts"
import { deckBatcher, type DeckState, pathStep } from "../DeckBatcher.ts"
import { easiestFirst } from "../LevelOrder.ts"

export interface E2hGaussianOptions extends DrawOptions {
  /** Width in levels; absent: 0.5. */
  readonly sigma?: number | undefined
  /** Exponent of the path; absent: 0.5, fast at first. */
  readonly beta?: number | undefined
  /** Least share of a level before scaling; absent: 2 / (K (K + 1)). 0 lets a level starve. */
  readonly floor?: number | undefined
  /** Whether questions are drawn with replacement, as published (absent), or each once in a pass (false). */
  readonly reuse?: boolean | undefined
}

const Own = Schema.Struct({
  sigma: Schema.Finite,
  beta: Schema.Finite,
  floor: Schema.NullOr(Schema.Finite),
  reuse: Schema.Boolean
})
type Own = typeof Own.Type

/** Computes the share of each of K levels, easiest first, at progress u = t / T. */
export const e2hShares = (levels: number, u: number, own: Pick<Own, "sigma" | "beta" | "floor">): Float64Array => {
  const ranks = Array.from({ length: levels }, (_, k) => k)
  const floor = own.floor ?? 2 / (levels * (levels + 1))
  const shares = gaussianShares(ranks, u ** own.beta * (levels - 1), own.sigma).map((share) => Math.max(share, floor))
  const total = shares.reduce((sum, share) => sum + share, 0)
  return shares.map((share) => share / total)
}

const sharesOf = (state: DeckState<Own>): Float64Array => {
  const { deck, own, span } = state
  const order = easiestFirst(deck.rates)
  const byRank = e2hShares(order.length, Math.min(1, pathStep(state) / Math.max(1, span)), own)
  const shares = new Float64Array(order.length)
  order.forEach((level, rank) => (shares[level] = byRank[rank] ?? 0))
  return shares
}

/** Computes the mean rate that shares aim at. */
export const meanOf = (deck: Pick<Deck, "rates">, shares: Float64Array): number =>
  shares.reduce((sum, share, level) => sum + share * (deck.rates[level] ?? 0), 0)

/** Serves levels by E2H-Gaussian; T is the span of the pass or the steps asked for. */
export const e2hGaussian = deckBatcher<Own, E2hGaussianOptions>({
  own: Own,
  init: (_, { beta, floor, reuse, sigma }) => ({
    sigma: sigma ?? 0.5,
    beta: beta ?? 0.5,
    floor: floor ?? null,
    reuse: reuse ?? true
  }),
  again: ({ reuse }) => reuse,
  choose: (state, size, available, random) => {
    const shares = sharesOf(state)
    return { ...drawLevels(size, shares, available, random()), targetMean: meanOf(state.deck, shares) }
  },
  target: (state): Target => ({ rates: state.deck.rates, shares: sharesOf(state), sigma: null }),
  metrics: (state) => ({ "curriculum/centre": meanOf(state.deck, sharesOf(state)) })
})
