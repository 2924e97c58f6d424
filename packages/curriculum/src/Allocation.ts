/** How many questions of each level a batch takes: Gaussian weights, largest remainders, then filling from the largest pool. */

/** Narrower than any difference between pass rates; keeps the weights finite. */
const narrowest = 1e-6

/** Numbers that differ only by rounding noise are ties: they are compared on this grid. */
const onGrid = (value: number): number => Math.round(value * 1e9)

/**
 * Computes q_j = exp(c_j - (p_j - centre)^2 / (2 sigma^2)) / sum, with the largest exponent taken out so that nothing underflows. The potentials c_j are 0
 * unless a target is balanced with its pool.
 */
export const gaussianShares = (
  rates: ArrayLike<number>,
  centre: number,
  sigma: number,
  potentials?: ArrayLike<number>
): Float64Array => {
  const width = Math.max(sigma, narrowest)
  const shares = new Float64Array(rates.length)
  let largest = -Infinity
  for (let j = 0; j < shares.length; j++) {
    const exponent = (potentials?.[j] ?? 0) - (((rates[j] ?? 0) - centre) / width) ** 2 / 2
    shares[j] = exponent
    if (exponent > largest) largest = exponent
  }
  let sum = 0
  for (let j = 0; j < shares.length; j++) {
    const weight = Math.exp((shares[j] ?? 0) - largest)
    shares[j] = weight
    sum += weight
  }
  for (let j = 0; j < shares.length; j++) shares[j] = (shares[j] ?? 0) / sum
  return shares
}

/** Sorts the indices 0 .. length - 1 in place by insertion: levels are few, and a comparator a call would cost more than the rest of a draw. */
const indicesBy = (length: number, before: (a: number, b: number) => boolean): Int32Array => {
  const order = new Int32Array(length)
  if (length > 64) {
    const sorted = Array.from({ length }, (_, j) => j).toSorted((a, b) => (before(a, b) ? -1 : 1))
    return Int32Array.from(sorted)
  }
  for (let j = 0; j < length; j++) {
    let at = j
    for (; at > 0 && before(j, order[at - 1] ?? 0); at--) order[at] = order[at - 1] ?? 0
    order[at] = j
  }
  return order
}

/** Ranks levels for ties: rank 0 is nearest the centre; of two equally near the lower rate comes first. `rates` rise. */
export const tieRanks = (rates: ArrayLike<number>, centre: number): Int32Array => {
  const distance = new Float64Array(rates.length)
  for (let j = 0; j < distance.length; j++) distance[j] = onGrid(Math.abs((rates[j] ?? 0) - centre))
  const order = indicesBy(rates.length, (a, b) => {
    const difference = (distance[a] ?? 0) - (distance[b] ?? 0)
    return difference < 0 || (difference === 0 && a < b)
  })
  const ranks = new Int32Array(rates.length)
  for (let rank = 0; rank < order.length; rank++) ranks[order[rank] ?? 0] = rank
  return ranks
}

/** Rounds size * shares to whole counts that sum to `size` (largest remainder, Hamilton); ties go to the lower rank. */
export const largestRemainder = (size: number, shares: Float64Array, ranks: Int32Array): Int32Array => {
  const counts = new Int32Array(shares.length)
  const remainder = new Float64Array(shares.length)
  let over = size
  for (let j = 0; j < counts.length; j++) {
    const part = onGrid(size * (shares[j] ?? 0))
    const count = Math.floor((part + 0.5) / 1e9)
    counts[j] = count
    remainder[j] = part - count * 1e9
    over -= count
  }
  const order = indicesBy(counts.length, (a, b) => {
    const difference = (remainder[b] ?? 0) - (remainder[a] ?? 0)
    return difference < 0 || (difference === 0 && (ranks[a] ?? 0) < (ranks[b] ?? 0))
  })
  for (let i = 0; i < Math.min(over, order.length); i++) counts[order[i] ?? 0]! += 1
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
  const take = new Int32Array(wanted.length)
  const rest = new Int32Array(wanted.length)
  let drawn = 0
  let available = 0
  for (let level = 0; level < take.length; level++) {
    const has = left[level] ?? 0
    const count = Math.min(wanted[level] ?? 0, has)
    take[level] = count
    rest[level] = has - count
    drawn += count
    available += has - count
  }
  const fill = Math.min(size - drawn, available)
  if (fill <= 0) return { take, fill: 0 }
  const more = fillFromLargest(rest, fill, ranks)
  for (let level = 0; level < take.length; level++) take[level]! += more[level] ?? 0
  return { take, fill }
}
