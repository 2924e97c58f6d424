/**
 * The Gaussian batcher (paper, section 1): each batch is drawn by a normal distribution over pass rates whose centre falls
 * linearly from easy to hard, limited by what is left at each rate, and filled from the largest pools.
 */
import * as Seed from "@gradus/domain/Seed"
import * as Schema from "effect/Schema"
import { allocate, gaussianShares, largestRemainder, tieRanks } from "../Allocation.ts"
import type { Batcher, DrawOptions } from "../Batcher.ts"
import * as Deck from "../Deck.ts"

export interface GaussianOptions extends DrawOptions {
  /** Width of the target distribution, in pass rate. */
  readonly sigma: number
  /** First and last centre; absent: the highest and the lowest pass rate of the pool. */
  readonly start?: number | undefined
  readonly end?: number | undefined
}

export const GaussianState = Schema.Struct({
  deck: Deck.Deck,
  /** Batches drawn. */
  step: Schema.Int,
  /** Batches over which the centre goes from start to end. */
  span: Schema.Int,
  promptsPerStep: Schema.Int,
  sigma: Schema.Finite,
  start: Schema.Finite,
  end: Schema.Finite,
  lastBatch: Schema.Literals(["partial", "drop"]),
  seed: Schema.Uint8ArrayFromHex
})
export type GaussianState = typeof GaussianState.Type

/** Counts the batches of one pass. */
export const passLength = (questions: number, options: Pick<DrawOptions, "promptsPerStep" | "lastBatch">): number =>
  options.lastBatch === "drop"
    ? Math.floor(questions / options.promptsPerStep)
    : Math.ceil(questions / options.promptsPerStep)

const init = (pool: Parameters<typeof Deck.make>[0], options: GaussianOptions): GaussianState => {
  const deck = Deck.make(pool, options.seed)
  const pass = passLength(pool.length, options)
  return {
    deck,
    step: 0,
    span: Math.min(pass, options.steps ?? pass),
    promptsPerStep: options.promptsPerStep,
    sigma: options.sigma,
    start: options.start ?? deck.rates.at(-1) ?? 0,
    end: options.end ?? deck.rates[0] ?? 0,
    lastBatch: options.lastBatch,
    seed: Seed.child(options.seed, "batch").bytes
  }
}

/** Computes the centre of the batch that is drawn next; after the last step of the span it stays at the end. */
export const centre = ({ end, span, start, step }: GaussianState): number =>
  span <= 1 ? start : start + (end - start) * Math.min(1, step / (span - 1))

const draw: Batcher<GaussianState, GaussianOptions>["draw"] = (state) => {
  const { deck, promptsPerStep: size } = state
  const left = Deck.left(deck)
  const available = left.reduce((sum, count) => sum + count, 0)
  if (available === 0 || (available < size && state.lastBatch === "drop")) return undefined
  const mu = centre(state)
  const ranks = tieRanks(deck.rates, mu)
  const wanted = largestRemainder(size, gaussianShares(deck.rates, mu, state.sigma), ranks)
  const { fill, take } = allocate(size, wanted, left, ranks)
  const [positions, rest] = Deck.draw(deck, take)
  const achievedMean = Deck.meanRate(deck, positions)
  Seed.stream(Seed.child({ bytes: state.seed }, state.step)).shuffle(positions)
  const batch = {
    batch: state.step + 1,
    questions: Deck.idsAt(deck, positions),
    targetMean: mu,
    achievedMean,
    fill
  }
  return [batch, { ...state, deck: rest, step: state.step + 1 }]
}

/** Serves a pool by the paper's Gaussian curriculum; the span of the centre is `min(steps, batches of one pass)`. */
export const gaussian: Batcher<GaussianState, GaussianOptions> = {
  stateSchema: GaussianState,
  init,
  draw,
  observe: (state, outcomes) => ({ ...state, deck: Deck.takeBack(state.deck, outcomes) }),
  metrics: (state) => ({
    "curriculum/step": state.step,
    "curriculum/left": Deck.left(state.deck).reduce((sum, count) => sum + count, 0),
    "curriculum/centre": centre(state),
    "curriculum/levels": state.deck.rates.length,
    "curriculum/distinct_rates": state.deck.distinct,
    "curriculum/returned": state.deck.returned.length
  })
}
