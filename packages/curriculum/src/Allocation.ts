/** How many questions of each level a batch takes: Gaussian weights, largest remainders, then filling from the largest pool. */

/** Narrower than any difference between pass rates; keeps the weights finite. */
const narrowest = 1e-6

/** Numbers that differ only by rounding noise are ties: they are compared on this grid. */
const onGrid = (value: number): number => Math.round(value * 1e9)

/** Computes q_j = exp(-(p_j - centre)^2 / (2 sigma^2)) / sum, with the largest exponent taken out so that nothing underflows. */
export const gaussianShares = (rates: ReadonlyArray<number>, centre: number, sigma: number): Float64Array => {
  const width = Math.max(sigma, narrowest)
  const exponents = Float64Array.from(rates, (rate) => -(((rate - centre) / width) ** 2) / 2)
  const largest = exponents.reduce((most, value) => Math.max(most, value), -Infinity)
  const weights = exponents.map((value) => Math.exp(value - largest))
  const sum = weights.reduce((total, value) => total + value, 0)
  return weights.map((value) => value / sum)
}

/** Ranks levels for ties: rank 0 is nearest the centre; of two equally near the lower rate comes first. `rates` rise. */
export const tieRanks = (rates: ReadonlyArray<number>, centre: number): Int32Array => {
  const order = rates.map((rate, level) => ({ level, distance: onGrid(Math.abs(rate - centre)) }))
  order.sort((a, b) => a.distance - b.distance || a.level - b.level)
  const ranks = new Int32Array(rates.length)
  order.forEach(({ level }, rank) => {
    ranks[level] = rank
  })
  return ranks
}

/** Rounds size * shares to whole counts that sum to `size` (largest remainder, Hamilton); ties go to the lower rank. */
export const largestRemainder = (size: number, shares: Float64Array, ranks: Int32Array): Int32Array => {
  const counts = Int32Array.from(shares, (share) => Math.floor((onGrid(size * share) + 0.5) / 1e9))
  const remainder = Float64Array.from(shares, (share, j) => onGrid(size * share) - (counts[j] ?? 0) * 1e9)
  const over = size - counts.reduce((total, count) => total + count, 0)
  const order = [...shares.keys()].toSorted(
    (a, b) => (remainder[b] ?? 0) - (remainder[a] ?? 0) || (ranks[a] ?? 0) - (ranks[b] ?? 0)
  )
  for (const level of order.slice(0, Math.max(0, over))) counts[level] = (counts[level] ?? 0) + 1
  return counts
}

export interface Allocation {
  /** Questions to take, by level. */
  readonly take: Int32Array
  /** How many of them the target did not ask for. */
  readonly fill: number
}

/** Limits `wanted` by what is left, then fills the batch one by one from the level with the most left; ties go to the lower rank. */
export const allocate = (
  size: number,
  wanted: Int32Array,
  left: ReadonlyArray<number>,
  ranks: Int32Array
): Allocation => {
  const take = wanted.map((count, level) => Math.min(count, left[level] ?? 0))
  const rest = left.map((count, level) => count - (take[level] ?? 0))
  const available = rest.reduce((total, count) => total + count, 0)
  const fill = Math.min(size - take.reduce((total, count) => total + count, 0), available)
  for (let i = 0; i < fill; i++) {
    let best = 0
    for (let level = 1; level < rest.length; level++) {
      const ahead = (rest[level] ?? 0) - (rest[best] ?? 0)
      if (ahead > 0 || (ahead === 0 && (ranks[level] ?? 0) < (ranks[best] ?? 0))) best = level
    }
    rest[best] = (rest[best] ?? 0) - 1
    take[best] = (take[best] ?? 0) + 1
  }
  return { take, fill }
}
