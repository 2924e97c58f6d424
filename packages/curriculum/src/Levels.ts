/** Levels: the distinct pass rates of a pool, and which questions are at each. */
import type { RatedQuestion } from "@gradus/domain/Profile"
import type { Seed } from "@gradus/domain/Seed"
import { child, stream } from "@gradus/domain/Seed"
import { canonicalOrder } from "./CanonicalOrder.ts"

/** More distinct rates than this are put into bins of 1/64. */
export const maxLevels = 256
const bins = 64

export interface Levels {
  /** Rates of the levels, rising. */
  readonly rates: ReadonlyArray<number>
  /** Level j holds the questions at positions starts[j] .. starts[j + 1] - 1 of `ids`. */
  readonly starts: ReadonlyArray<number>
  /** Question ids by level, in each level in the order in which they are taken: a seeded permutation. */
  readonly ids: ReadonlyArray<string>
  /** The questions' own pass rates, parallel to `ids`; they differ from their level's where rates were binned. */
  readonly questionRates: ReadonlyArray<number>
  /** Distinct rates before binning. */
  readonly distinct: number
}

/**
 * Computes pass rates as doubles: for counts below 2^26 two of them are equal exactly when the fractions are.
 * Throws a RangeError where there is none.
 */
export const ratesOf = (pool: ReadonlyArray<RatedQuestion>): Float64Array => {
  const rates = new Float64Array(pool.length)
  pool.forEach(({ passed, question_id, scored }, i) => {
    if (!Number.isInteger(passed) || !Number.isInteger(scored) || passed < 0 || passed > scored || scored === 0) {
      throw new RangeError(`question ${question_id} has no pass rate: ${passed} of ${scored}`)
    }
    rates[i] = passed / scored
  })
  return rates
}

/** Copies `from[order[i]]` to position i. Plain loops: an iterator over a million indices costs more than all the rest. */
export const gather = <T>(from: ArrayLike<T>, order: Int32Array, absent: T): Array<T> => {
  const out: Array<T> = []
  for (let i = 0; i < order.length; i++) out.push(from[order[i] ?? 0] ?? absent)
  return out
}

const sortedDistinct = (values: Float64Array): Array<number> => {
  const seen = new Set<number>()
  for (let i = 0; i < values.length; i++) seen.add(values[i] ?? 0)
  return [...seen].toSorted((a, b) => a - b)
}

/** Gives each question the index of its rate, and each level its first position (one more at the end). */
const place = (rates: ReadonlyArray<number>, levelRates: Float64Array): readonly [Int32Array, Int32Array] => {
  const levelOfRate = new Map(rates.map((rate, level) => [rate, level]))
  const level = new Int32Array(levelRates.length)
  const starts = new Int32Array(rates.length + 1)
  for (let i = 0; i < level.length; i++) {
    const j = levelOfRate.get(levelRates[i] ?? 0) ?? 0
    level[i] = j
    starts[j + 1] = (starts[j + 1] ?? 0) + 1
  }
  for (let j = 0; j < rates.length; j++) starts[j + 1] = (starts[j + 1] ?? 0) + (starts[j] ?? 0)
  return [level, starts]
}

/**
 * Groups a pool by pass rate and puts each level in the order in which it is served. The result depends on the seed and on
 * the set of questions, not on the order of the rows.
 * Throws a RangeError for an id that occurs twice and for a question without a pass rate.
 */
export const levelsOf = (pool: ReadonlyArray<RatedQuestion>, seed: Seed): Levels => {
  const own = ratesOf(pool)
  const distinct = sortedDistinct(own)
  const levelRates = distinct.length > maxLevels ? own.map((rate) => Math.round(rate * bins) / bins) : own
  const rates = levelRates === own ? distinct : sortedDistinct(levelRates)
  const [level, starts] = place(rates, levelRates)
  const ids = pool.map((question) => question.question_id)
  const canonical = canonicalOrder(ids)
  const next = starts.slice()
  const order = new Int32Array(pool.length)
  for (let i = 0; i < canonical.length; i++) {
    const index = canonical[i] ?? 0
    const j = level[index] ?? 0
    const position = next[j] ?? 0
    order[position] = index
    next[j] = position + 1
  }
  for (let j = 0; j < rates.length; j++) {
    stream(child(seed, "level", String(rates[j]))).shuffle(order.subarray(starts[j], starts[j + 1]))
  }
  return {
    rates,
    starts: [...starts],
    ids: gather(ids, order, ""),
    questionRates: gather(own, order, 0),
    distinct: distinct.length
  }
}
