/**
 * A deck: the questions of a pool by level, how many of each level are drawn, and which came back.
 * The long arrays never change and are shared by all states of a pass; a draw costs its batch and the levels. Levels may start
 * anew when they run dry (`again`): their questions are then served in another order, none twice in a batch.
 */
import type { RatedQuestion } from "@gradus/domain/Profile"
import { child, type Seed, stream } from "@gradus/domain/Seed"
import * as Schema from "effect/Schema"
import type { Outcome } from "./Batcher.ts"
import { levelsOf } from "./Levels.ts"
import { Float64s, Int32s } from "./TypedArrays.ts"

const Indices = Schema.Array(Schema.Int)

export const Deck = Schema.Struct({
  domains: Schema.Array(Schema.String),
  /** Rates of the levels, by domain and rising in each; level j is positions starts[j] .. starts[j + 1] - 1 of ids. */
  rates: Float64s,
  domainOf: Int32s,
  starts: Int32s,
  ids: Schema.Array(Schema.String),
  /** The questions' own rates where rates were binned; empty where each has its level's. */
  questionRates: Float64s,
  distinct: Schema.Int,
  /** Positions drawn in the present round, by level. */
  taken: Int32s,
  /** Rounds that each level has begun after its first. */
  rounds: Int32s,
  /** Order of a level's positions in its present round; null in the first, which is served as it lies. */
  orders: Schema.Array(Schema.NullOr(Int32s)),
  /** Positions that came back and wait to be drawn again, in the order in which they came. */
  returned: Indices,
  /** Positions of the last batch. */
  last: Indices
})
export type Deck = typeof Deck.Type

/** Makes a full deck of a pool. Throws as `levelsOf` does. */
export const make = (pool: ReadonlyArray<RatedQuestion>, seed: Seed, byDomain = false): Deck => {
  const levels = levelsOf(pool, seed, byDomain)
  const count = levels.rates.length
  return {
    ...levels,
    taken: new Int32Array(count),
    rounds: new Int32Array(count),
    orders: Array.from({ length: count }, () => null),
    returned: [],
    last: []
  }
}

/** Finds the level of a position. */
export const levelOf = ({ starts }: Deck, position: number): number => {
  let low = 0
  let high = starts.length - 2
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((starts[middle] ?? 0) <= position) low = middle
    else high = middle - 1
  }
  return low
}

/** Counts the questions of each level, drawn or not. */
export const sizes = ({ starts, taken }: Deck): Int32Array => {
  const counts = new Int32Array(taken.length)
  for (let j = 0; j < counts.length; j++) counts[j] = (starts[j + 1] ?? 0) - (starts[j] ?? 0)
  return counts
}

/** Counts what is left, by level. */
export const left = (deck: Deck): Int32Array => {
  const counts = sizes(deck)
  for (let j = 0; j < counts.length; j++) counts[j]! -= deck.taken[j] ?? 0
  for (const position of deck.returned) counts[levelOf(deck, position)]! += 1
  return counts
}

/** Begins a level's next round; positions of the present batch come last in it, so that none is served twice in the batch. */
const restart = (deck: Deck, level: number, round: number, seed: Seed, drawn: ReadonlySet<number>): Int32Array => {
  const from = deck.starts[level] ?? 0
  const order = Int32Array.from({ length: (deck.starts[level + 1] ?? 0) - from }, (_, i) => from + i)
  stream(child(seed, "round", level, round)).shuffle(order)
  const rest = order.filter((position) => !drawn.has(position))
  return Int32Array.from([...rest, ...order.filter((position) => drawn.has(position))])
}

/** Puts all questions back: every level begins its next round. Questions that came back go on waiting for their second draw. */
export const refill = (deck: Deck, seed: Seed): Deck => {
  const rounds = deck.rounds.map((round) => round + 1)
  const orders = deck.orders.map((_, level) => restart(deck, level, rounds[level] ?? 0, seed, new Set()))
  return { ...deck, taken: new Int32Array(deck.taken.length), rounds, orders, last: [] }
}

/**
 * Takes `take[j]` questions of level j: first those not yet drawn in its round, then those that came back, then (with `again`)
 * those of its next round. No position is drawn twice. Positions by level.
 */
export const draw = (deck: Deck, take: ArrayLike<number>, again?: Seed): readonly [Array<number>, Deck] => {
  const drawn: Array<number> = []
  const taken = deck.taken.slice()
  const missing = new Int32Array(taken.length)
  const fresh = (level: number, order: Int32Array | null, count: number): void => {
    const from = taken[level] ?? 0
    for (let i = from; i < from + count; i++) drawn.push(order?.[i] ?? (deck.starts[level] ?? 0) + i)
    taken[level]! += count
    missing[level]! -= count
  }
  const size = sizes(deck)
  for (let level = 0; level < taken.length; level++) {
    missing[level] = take[level] ?? 0
    fresh(level, deck.orders[level] ?? null, Math.min(take[level] ?? 0, (size[level] ?? 0) - (taken[level] ?? 0)))
  }
  const returned = drawReturned(deck, missing, drawn)
  if (again === undefined || missing.every((count) => count === 0))
    return [drawn, { ...deck, taken, returned, last: drawn }]
  const rounds = deck.rounds.slice()
  const orders = deck.orders.slice()
  const inBatch = new Set(drawn)
  for (let level = 0; level < taken.length; level++) {
    if (missing[level] === 0) continue
    rounds[level]! += 1
    const order = restart(deck, level, rounds[level] ?? 0, again, inBatch)
    orders[level] = order
    taken[level] = 0
    fresh(level, order, missing[level] ?? 0)
  }
  return [drawn, { ...deck, taken, rounds, orders, returned, last: drawn }]
}

/** Serves what came back: counts `missing` down, adds to `drawn`, and returns who still waits. */
const drawReturned = (deck: Deck, missing: Int32Array, drawn: Array<number>): ReadonlyArray<number> => {
  if (deck.returned.length === 0) return deck.returned
  const inBatch = new Set(drawn)
  return deck.returned.filter((position) => {
    const level = levelOf(deck, position)
    if (missing[level] === 0 || inBatch.has(position)) return true
    missing[level]! -= 1
    inBatch.add(position)
    drawn.push(position)
    return false
  })
}

/** Puts the questions of the last batch that could not be scored back into their levels. */
export const takeBack = (deck: Deck, outcomes: ReadonlyArray<Outcome>): Deck => {
  const unscored = new Set(outcomes.filter(({ scored }) => scored === 0).map(({ question_id }) => question_id))
  if (unscored.size === 0) return deck
  const back = new Set(deck.last.filter((position) => unscored.has(deck.ids[position] ?? "")))
  return {
    ...deck,
    returned: [...deck.returned, ...back],
    last: deck.last.filter((position) => !back.has(position))
  }
}

/** Looks positions up: their ids in the same order. A plain loop: over all batches of a plan this is a large part of its time. */
export const idsAt = ({ ids }: Deck, positions: ReadonlyArray<number>): Array<string> => {
  const found: Array<string> = []
  for (let i = 0; i < positions.length; i++) found.push(ids[positions[i] ?? 0] ?? "")
  return found
}

/** Reads the pass rate of the question at a position: its own where rates were binned, else its level's. */
export const rateOf = (deck: Deck, position: number): number =>
  deck.questionRates[position] ?? deck.rates[levelOf(deck, position)] ?? 0

/** Computes the mean pass rate of the questions at these positions, summed in the order given. */
export const meanRate = (deck: Deck, positions: ReadonlyArray<number>): number => {
  let sum = 0
  for (let i = 0; i < positions.length; i++) sum += rateOf(deck, positions[i] ?? 0)
  return sum / positions.length
}
