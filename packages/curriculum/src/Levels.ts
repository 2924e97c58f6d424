/** Levels: the distinct pass rates of a pool, by domain where domains are told apart, and which questions are at each. */
import type { RatedQuestion } from "@gradus/domain/Profile"
import type { Seed } from "@gradus/domain/Seed"
import { child, stream } from "@gradus/domain/Seed"
import { canonicalOrder } from "./CanonicalOrder.ts"
import { PoolInvalid } from "./PoolInvalid.ts"

/** More distinct rates than this are put into bins of 1/64. */
export const maxLevels = 256
const bins = 64

export interface Levels {
  /** Names of the domains, sorted; one empty name where they are not told apart. */
  readonly domains: ReadonlyArray<string>
  /** Rates of the levels: by domain, and rising in each. */
  readonly rates: Float64Array
  /** Index of each level's domain. */
  readonly domainOf: Int32Array
  /** Level j holds the questions at positions starts[j] .. starts[j + 1] - 1 of `ids`. */
  readonly starts: Int32Array
  /** Question ids by level, in each level in the order in which they are taken: a seeded permutation. */
  readonly ids: ReadonlyArray<string>
  /** The questions' own pass rates, parallel to `ids`, where rates were binned; empty where each question has its level's rate. */
  readonly questionRates: Float64Array
  /** Distinct rates before binning. */
  readonly distinct: number
}

/** Computes the pass rate of the i-th question as a double: for counts below 2^26 two are equal exactly when the fractions are. Throws as `ratesOf`. */
const rateAt = (pool: ReadonlyArray<RatedQuestion>, i: number): number => {
  const { passed, question_id, scored } = pool[i]!
  if (!Number.isInteger(passed) || !Number.isInteger(scored) || passed < 0 || passed > scored || scored === 0) {
    throw new PoolInvalid({ question_id, row: i + 1, reason: `has no pass rate: ${passed} of ${scored}` })
  }
  return passed / scored
}

/**
 * Computes all pass rates. Throws `PoolInvalid` where there is none: a count that is no whole number (NaN too), below 0, above `scored`, or of 0
 * samples.
 */
export const ratesOf = (pool: ReadonlyArray<RatedQuestion>): Float64Array => {
  const rates = new Float64Array(pool.length)
  for (let i = 0; i < rates.length; i++) rates[i] = rateAt(pool, i)
  return rates
}

/** Puts what `at(order[i])` gives at position i. Plain loops: an iterator over a million indices costs more than all the rest. */
export const gather = (order: Int32Array, at: (index: number) => string): Array<string> => {
  // oxlint-disable-next-line unicorn/no-new-array -- a list of known length that grows by push is copied many times
  const out = new Array<string>(order.length)
  for (let i = 0; i < order.length; i++) out[i] = at(order[i] ?? 0)
  return out
}

/** Copies numbers as `gather` does. */
export const gatherNumbers = (from: Float64Array, order: Int32Array): Float64Array => {
  const out = new Float64Array(order.length)
  for (let i = 0; i < order.length; i++) out[i] = from[order[i] ?? 0] ?? 0
  return out
}

/** Gives every value the index of its rank among the distinct values; a table of the last values spares most look-ups. */
const ranked = (
  length: number,
  valueAt: (i: number) => number
): { readonly distinct: Float64Array; readonly index: Int32Array } => {
  const seen = new Map<number, number>()
  const index = new Int32Array(length)
  let last = NaN
  let lastIndex = 0
  for (let i = 0; i < length; i++) {
    const value = valueAt(i)
    if (value !== last) {
      last = value
      lastIndex = seen.get(value) ?? seen.size
      if (lastIndex === seen.size) seen.set(value, lastIndex)
    }
    index[i] = lastIndex
  }
  const distinct = Float64Array.from(seen.keys()).toSorted()
  const rankOf = new Int32Array(seen.size)
  distinct.forEach((value, rank) => (rankOf[seen.get(value) ?? 0] = rank))
  for (let i = 0; i < index.length; i++) index[i] = rankOf[index[i] ?? 0] ?? 0
  return { distinct, index }
}

const domainsOf = (pool: ReadonlyArray<RatedQuestion>, byDomain: boolean) => {
  const names = new Set<string>()
  let last: string | undefined = "\u0000"
  if (byDomain) {
    for (let i = 0; i < pool.length; i++) {
      const domain = pool[i]?.domain
      if (domain === last) continue
      names.add(domain ?? "")
      last = domain
    }
  }
  if (names.size <= 1) return { domains: names.size === 0 ? [""] : [...names], indexOf: () => 0 }
  const domains = [...names].toSorted()
  const index = new Map(domains.map((name, i) => [name, i]))
  return { domains, indexOf: (question: RatedQuestion | undefined) => index.get(question?.domain ?? "") ?? 0 }
}

/** Numbers the levels (domain, rate) that occur, by domain and rising rate, and counts their questions. */
const number = (cells: Int32Array, rates: Float64Array, domains: number) => {
  const width = rates.length
  const counts = new Int32Array(domains * width)
  for (let i = 0; i < cells.length; i++) counts[cells[i] ?? 0]! += 1
  const used = Array.from(counts.keys()).filter((cell) => counts[cell] !== 0)
  const starts = new Int32Array(used.length + 1)
  const levelOf = new Int32Array(counts.length)
  used.forEach((cell, level) => {
    levelOf[cell] = level
    starts[level + 1] = (starts[level] ?? 0) + (counts[cell] ?? 0)
  })
  return {
    rates: Float64Array.from(used, (cell) => rates[cell % width] ?? 0),
    domainOf: Int32Array.from(used, (cell) => Math.floor(cell / width)),
    levelOf,
    starts
  }
}

/**
 * Groups a pool by pass rate (and domain, with `byDomain`) and puts each level in the order in which it is served. The result
 * depends on the seed and on the set of questions, not on the order of the rows. Time is linear but for the sorting of ids.
 * Throws `PoolInvalid` for an id that occurs twice or is empty and for a question without a pass rate.
 */
export const levelsOf = (pool: ReadonlyArray<RatedQuestion>, seed: Seed, byDomain = false): Levels => {
  let { distinct, index: cells } = ranked(pool.length, (i) => rateAt(pool, i))
  const distinctRates = distinct.length
  const binned = distinctRates > maxLevels
  if (binned) ({ distinct, index: cells } = ranked(pool.length, (i) => Math.round(rateAt(pool, i) * bins) / bins))
  const { domains, indexOf } = domainsOf(pool, byDomain)
  if (domains.length > 1) for (let i = 0; i < cells.length; i++) cells[i]! += indexOf(pool[i]) * distinct.length
  const { domainOf, levelOf, rates, starts } = number(cells, distinct, domains.length)
  const canonical = canonicalOrder(pool.length, (i) => pool[i]?.question_id ?? "")
  const next = starts.slice()
  const order = new Int32Array(pool.length)
  for (let i = 0; i < canonical.length; i++) {
    const index = canonical[i] ?? 0
    const level = levelOf[cells[index] ?? 0] ?? 0
    order[next[level]!++] = index
  }
  for (let j = 0; j < rates.length; j++) {
    const node = child(
      seed,
      "level",
      String(rates[j]),
      ...(domains.length > 1 ? [domains[domainOf[j] ?? 0] ?? ""] : [])
    )
    stream(node).shuffle(order.subarray(starts[j], starts[j + 1]))
  }
  return {
    domains,
    rates,
    domainOf,
    starts,
    ids: gather(order, (i) => pool[i]?.question_id ?? ""),
    questionRates: binned ? Float64Array.from(order, (i) => rateAt(pool, i)) : new Float64Array(0),
    distinct: distinctRates
  }
}
