/** How many questions of each level a batch takes: Gaussian weights, largest remainders, then filling from the largest pool. */

/** Narrower than any difference between pass rates; keeps the weights finite. */
const narrowest = 1e-6

/** Numbers that differ only by rounding noise are ties: they are compared on this grid. */
const onGrid = (value: number): number => Math.round(value * 1e9)

/** Computes q_j = exp(-(p_j - centre)^2 / (2 sigma^2)) / sum, with the largest exponent taken out so that nothing underflows. */
export const gaussianShares = (rates: ArrayLike<number>, centre: number, sigma: number): Float64Array => {
  const width = Math.max(sigma, narrowest)
  const exponents = Float64Array.from(rates, (rate) => -(((rate - centre) / width) ** 2) / 2)
  const largest = exponents.reduce((most, value) => Math.max(most, value), -Infinity)
  const weights = exponents.map((value) => Math.exp(value - largest))
  const sum = weights.reduce((total, value) => total + value, 0)
  return weights.map((value) => value / sum)
}

/** Ranks levels for ties: rank 0 is nearest the centre; of two equally near the lower rate comes first. `rates` rise. */
export const tieRanks = (rates: ArrayLike<number>, centre: number): Int32Array => {
  const order = Array.from(rates, (rate, level) => ({ level, distance: onGrid(Math.abs(rate - centre)) }))
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

/**
 * Lowers the largest pools one question at a time until `fill` are taken; ties go to the lower rank. Computed at once: all pools
 * above a water line come down to it, and of those then at the line the first by rank give one more.
 */
const fillFromLargest = (rest: Int32Array, fill: number, ranks: Int32Array): Int32Array => {
  const taken = new Int32Array(rest.length)
  if (fill === 0) return taken
  const above = (line: number): number => rest.reduce((sum, count) => sum + Math.max(0, count - line), 0)
  let low = 0
  let high = rest.reduce((most, count) => Math.max(most, count), 0)
  while (low < high) {
    const line = (low + high) >> 1
    if (above(line) <= fill) high = line
    else low = line + 1
  }
  let more = fill
  for (let j = 0; j < rest.length; j++) {
    taken[j] = Math.max(0, (rest[j] ?? 0) - low)
    more -= taken[j] ?? 0
  }
  if (more === 0) return taken
  const atLine = [...rest.keys()].filter((j) => (rest[j] ?? 0) >= low && low > 0)
  atLine.sort((a, b) => (ranks[a] ?? 0) - (ranks[b] ?? 0))
  for (const j of atLine.slice(0, more)) taken[j]! += 1
  return taken
}

/** Limits `wanted` by what is left, then fills the batch from the level with the most left, one by one; ties go to the lower rank. */
export const allocate = (size: number, wanted: Int32Array, left: ArrayLike<number>, ranks: Int32Array): Allocation => {
  const take = wanted.map((count, level) => Math.min(count, left[level] ?? 0))
  const rest = take.map((count, level) => (left[level] ?? 0) - count)
  const available = rest.reduce((total, count) => total + count, 0)
  const fill = Math.min(size - take.reduce((total, count) => total + count, 0), available)
  const more = fillFromLargest(rest, fill, ranks)
  return { take: take.map((count, level) => count + (more[level] ?? 0)), fill }
}
