/**
 * Balancing a moving target with the pool that it has to be drawn from: without it the blur of a Gaussian asks too little of the levels at both ends
 * of the pool, and what nobody asked for is left for the last batches.
 */

/** Points of the way at which the target is looked at; between them it hardly changes. */
const mostPoints = 256
/** Rounds at most, and the relative error at which they end: narrow targets come near their pools slowly, and rounding hides the rest. */
const mostRounds = 300
const tolerance = 1e-3

/** A batch's target before balancing. */
export interface Blur {
  readonly centre: number
  readonly sigma: number
}

const exponent = (rate: number, { centre, sigma }: Blur): number =>
  -(((rate - centre) / Math.max(sigma, 1e-6)) ** 2) / 2

/**
 * Finds potentials c_j (natural logarithms) such that the shares q_tj ~ exp(c_j - (p_j - mu_t)^2 / 2 sigma_t^2), summed over the batches of a pass, ask of each
 * level what it holds: sum_t q_tj / T = n_j / n. These are Sinkhorn's iterations (1967) on the matrix of batches and levels, in logarithms. `blurAt` tells the
 * target of each of `span` batches.
 */
export const potentials = (
  rates: ArrayLike<number>,
  counts: ArrayLike<number>,
  span: number,
  blurAt: (step: number) => Blur
): Float64Array => {
  const levels = rates.length
  const found = new Float64Array(levels)
  const points = Math.min(span, mostPoints)
  if (points === 0 || levels < 2) return found
  const blurs = Array.from({ length: points }, (_, i) => blurAt(Math.floor(((i + 0.5) * span) / points)))
  let total = 0
  for (let j = 0; j < levels; j++) total += counts[j] ?? 0
  const row = new Float64Array(levels)
  const column = new Float64Array(levels)
  for (let round = 0; round < mostRounds; round++) {
    column.fill(0)
    for (const blur of blurs) addShares(column, row, rates, found, blur)
    let worst = 0
    for (let j = 0; j < levels; j++) {
      const wanted = ((counts[j] ?? 0) / total) * points
      const ratio = wanted / Math.max(column[j] ?? 0, 1e-300)
      found[j] = (found[j] ?? 0) + Math.log(ratio)
      worst = Math.max(worst, Math.abs(ratio - 1))
    }
    if (worst < tolerance) break
  }
  return found
}

/** Adds the shares of one batch to the columns. */
const addShares = (
  column: Float64Array,
  row: Float64Array,
  rates: ArrayLike<number>,
  found: Float64Array,
  blur: Blur
): void => {
  let largest = -Infinity
  for (let j = 0; j < row.length; j++) {
    row[j] = (found[j] ?? 0) + exponent(rates[j] ?? 0, blur)
    if ((row[j] ?? 0) > largest) largest = row[j] ?? 0
  }
  let sum = 0
  for (let j = 0; j < row.length; j++) {
    row[j] = Math.exp((row[j] ?? 0) - largest)
    sum += row[j] ?? 0
  }
  for (let j = 0; j < row.length; j++) column[j]! += (row[j] ?? 0) / sum
}
