/**
 * A bandit over levels (SEC, Chen et al. 2025, arXiv 2505.14970): Q_j <- alpha r_j + (1 - alpha) Q_j, where r_j is the mean absolute
 * advantage of the level's completions in the batch; levels are drawn with probability softmax(Q / tau).
 */
import * as Schema from "effect/Schema"
import type { DrawOptions, Outcome, Target } from "../Batcher.ts"
import { drawLevels } from "../Categorical.ts"
import { levelOf } from "../Deck.ts"
import { deckBatcher, type DeckState } from "../DeckBatcher.ts"
import { Float64s } from "../TypedArrays.ts"
import { meanOf } from "./E2hGaussian.ts"

export interface BanditOptions extends DrawOptions {
  /** Rate at which a level's value follows its last reward; absent: 0.5. */
  readonly alpha?: number | undefined
  /** Temperature of the choice; absent: 1. Small values choose the best level nearly always, and others may starve. */
  readonly tau?: number | undefined
  /** Whether questions are drawn with replacement, as published (absent), or each once in a pass (false). */
  readonly reuse?: boolean | undefined
}

const Own = Schema.Struct({ values: Float64s, alpha: Schema.Finite, tau: Schema.Finite, reuse: Schema.Boolean })
type Own = typeof Own.Type

/**
 * Computes a group's mean absolute advantage: as measured, or for binary rewards divided by their standard deviation
 * 2 sqrt(p (1 - p)), which is 0 for groups that are all right or all wrong.
 */
export const groupReward = ({ advantage, passed, scored }: Outcome): number => {
  const p = passed / scored
  return advantage ?? 2 * Math.sqrt(p * (1 - p))
}

const shares = ({ own }: DeckState<Own>): Float64Array => {
  const best = own.values.reduce((most, value) => Math.max(most, value), -Infinity)
  const weights = own.values.map((value) => Math.exp((value - best) / own.tau))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / total)
}

const learn = ({ deck, own }: DeckState<Own>, outcomes: ReadonlyArray<Outcome>): Own => {
  const level = new Map(deck.last.map((position) => [deck.ids[position] ?? "", levelOf(deck, position)]))
  const sums = new Float64Array(own.values.length)
  const counts = new Int32Array(own.values.length)
  for (const outcome of outcomes) {
    const j = level.get(outcome.question_id)
    if (j === undefined || outcome.scored === 0) continue
    sums[j]! += groupReward(outcome)
    counts[j]! += 1
  }
  const values = own.values.map((value, j) =>
    counts[j] === 0 ? value : own.alpha * ((sums[j] ?? 0) / (counts[j] ?? 1)) + (1 - own.alpha) * value
  )
  return { ...own, values }
}

/** Serves levels by their recent learning signal. All values begin at 0, so that the first batch is uniform over levels. */
export const bandit = deckBatcher<Own, BanditOptions>({
  own: Own,
  init: (deck, { alpha, reuse, tau }) => ({
    values: new Float64Array(deck.rates.length),
    alpha: alpha ?? 0.5,
    tau: tau ?? 1,
    reuse: reuse ?? true
  }),
  again: ({ reuse }) => reuse,
  choose: (state, size, available, random) => {
    const wanted = shares(state)
    return { ...drawLevels(size, wanted, available, random()), targetMean: meanOf(state.deck, wanted) }
  },
  observe: learn,
  target: (state): Target => ({ rates: state.deck.rates, shares: shares(state), sigma: null }),
  metrics: (state) => ({ "curriculum/centre": meanOf(state.deck, shares(state)) })
})
