/**
 * AdaRFT (Shi et al. 2025, arXiv 2504.05520): a batch is the B questions nearest a target difficulty d, which follows the reward:
 * d <- clip(d + eta tanh(alpha (mean reward - beta)), 0, 1). Difficulty is 1 - pass rate; the paper's scale of 100 makes its eta of 50
 * one of 0.5 here.
 */
import * as Schema from "effect/Schema"
import type { DrawOptions } from "../Batcher.ts"
import { deckBatcher } from "../DeckBatcher.ts"
import { nearestFirst, takeInOrder } from "../LevelOrder.ts"

export interface AdaRftOptions extends DrawOptions {
  /** First target, as a pass rate; absent: 1, the easiest. */
  readonly start?: number | undefined
  /** Step size in difficulty; absent: 0.5. */
  readonly eta?: number | undefined
  /** Sensitivity; absent: 2. */
  readonly alpha?: number | undefined
  /** The mean reward that is aimed at; absent: 0.5. */
  readonly beta?: number | undefined
  /** Whether questions are drawn with replacement, as published (absent), or each once in a pass (false). */
  readonly reuse?: boolean | undefined
}

const Own = Schema.Struct({
  /** Target difficulty. */
  difficulty: Schema.Finite,
  eta: Schema.Finite,
  alpha: Schema.Finite,
  beta: Schema.Finite,
  reuse: Schema.Boolean
})
type Own = typeof Own.Type

/** Moves the target difficulty by a batch's mean reward. */
export const moved = (own: Own, meanReward: number): number =>
  Math.min(1, Math.max(0, own.difficulty + own.eta * Math.tanh(own.alpha * (meanReward - own.beta))))

/** Serves the questions nearest the target; of two levels equally near the harder comes first. */
export const adarft = deckBatcher<Own, AdaRftOptions>({
  own: Own,
  init: (_, { alpha, beta, eta, reuse, start }) => ({
    difficulty: 1 - (start ?? 1),
    eta: eta ?? 0.5,
    alpha: alpha ?? 2,
    beta: beta ?? 0.5,
    reuse: reuse ?? true
  }),
  again: ({ reuse }) => reuse,
  choose: ({ deck, own }, size, available) => {
    const target = 1 - own.difficulty
    return { take: takeInOrder(size, nearestFirst(deck.rates, target), available), fill: 0, targetMean: target }
  },
  observe: ({ deck, own }, outcomes) => {
    const last = new Set(deck.last.map((position) => deck.ids[position] ?? ""))
    const known = outcomes.filter(({ question_id, scored }) => scored > 0 && last.has(question_id))
    const scored = known.reduce((sum, outcome) => sum + outcome.scored, 0)
    if (scored === 0) return own
    const passed = known.reduce((sum, outcome) => sum + outcome.passed, 0)
    return { ...own, difficulty: moved(own, passed / scored) }
  },
  metrics: ({ own }) => ({ "curriculum/centre": 1 - own.difficulty })
})
