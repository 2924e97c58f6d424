/**
 * A deck: the questions of a pool by level, how many of each level are drawn, and which came back.
 * The long arrays never change and are shared by all states of a pass; a draw costs its batch and the levels.
 */
import type { RatedQuestion } from "@gradus/domain/Profile"
import type { Seed } from "@gradus/domain/Seed"
import * as Schema from "effect/Schema"
import type { Outcome } from "./Batcher.ts"
import { levelsOf } from "./Levels.ts"

const Indices = Schema.Array(Schema.Int)

export const Deck = Schema.Struct({
  /** Rates of the levels, rising; level j is positions starts[j] .. starts[j + 1] - 1 of ids. */
  rates: Schema.Array(Schema.Finite),
  starts: Indices,
  ids: Schema.Array(Schema.String),
  questionRates: Schema.Array(Schema.Finite),
  distinct: Schema.Int,
  /** Positions drawn for the first time, by level. */
  taken: Indices,
  /** Positions that came back and wait for their second draw, in the order in which they came. */
  returned: Indices,
  /** Positions of the last batch. */
  last: Indices
})
export type Deck = typeof Deck.Type

/** Makes a full deck of a pool. Throws as `levelsOf` does. */
export const make = (pool: ReadonlyArray<RatedQuestion>, seed: Seed): Deck => {
  const levels = levelsOf(pool, seed)
  return { ...levels, taken: levels.rates.map(() => 0), returned: [], last: [] }
}

const levelOf = (deck: Deck, position: number): number => {
  let level = 0
  while ((deck.starts[level + 1] ?? Infinity) <= position) level++
  return level
}

/** Counts what is left, by level. */
export const left = (deck: Deck): Array<number> => {
  const counts = deck.taken.map((taken, j) => (deck.starts[j + 1] ?? 0) - (deck.starts[j] ?? 0) - taken)
  for (const position of deck.returned) {
    const level = levelOf(deck, position)
    counts[level] = (counts[level] ?? 0) + 1
  }
  return counts
}

/** Takes `take[j]` questions of level j: first those never drawn, then those that came back. Positions by level. */
export const draw = (deck: Deck, take: ArrayLike<number>): readonly [Array<number>, Deck] => {
  const drawn: Array<number> = []
  const taken = [...deck.taken]
  const again = deck.rates.map(() => 0)
  for (let level = 0; level < deck.rates.length; level++) {
    const from = (deck.starts[level] ?? 0) + (taken[level] ?? 0)
    const fresh = Math.min(take[level] ?? 0, (deck.starts[level + 1] ?? 0) - from)
    for (let i = 0; i < fresh; i++) drawn.push(from + i)
    taken[level] = (taken[level] ?? 0) + fresh
    again[level] = (take[level] ?? 0) - fresh
  }
  const returned = deck.returned.filter((position) => {
    const level = levelOf(deck, position)
    if ((again[level] ?? 0) === 0) return true
    again[level] = (again[level] ?? 0) - 1
    drawn.push(position)
    return false
  })
  return [drawn, { ...deck, taken, returned, last: drawn }]
}

/** Puts the questions of the last batch that could not be scored back into their levels. */
export const takeBack = (deck: Deck, outcomes: ReadonlyArray<Outcome>): Deck => {
  const unscored = new Set(outcomes.filter(({ scored }) => scored === 0).map(({ question_id }) => question_id))
  const back = deck.last.filter((position) => unscored.has(deck.ids[position] ?? ""))
  return back.length === 0
    ? deck
    : { ...deck, returned: [...deck.returned, ...back], last: deck.last.filter((position) => !back.includes(position)) }
}

/** Looks positions up: their ids in the same order. */
export const idsAt = (deck: Deck, positions: ReadonlyArray<number>): Array<string> =>
  positions.map((position) => deck.ids[position] ?? "")

/** Computes the mean pass rate of the questions at these positions, summed in the order given. */
export const meanRate = (deck: Deck, positions: ReadonlyArray<number>): number =>
  positions.reduce((sum, position) => sum + (deck.questionRates[position] ?? 0), 0) / positions.length
