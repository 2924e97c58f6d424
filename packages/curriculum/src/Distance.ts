/** Distances between the distribution over pass rates that a batch aims at and the one it has. */

/** A distribution over rates: parallel arrays; rates may be unsorted and repeated, shares sum to 1. */
export interface Distribution {
  readonly rates: ArrayLike<number>
  readonly shares: ArrayLike<number>
}

/** Adds up both distributions by rate, in rising order: [rate, target, achieved]. */
const merged = (target: Distribution, achieved: Distribution): Array<readonly [number, number, number]> => {
  const by = new Map<number, [number, number]>()
  const add = ({ rates, shares }: Distribution, side: 0 | 1): void => {
    for (let i = 0; i < rates.length; i++) {
      const entry = by.get(rates[i] ?? 0) ?? [0, 0]
      entry[side] += shares[i] ?? 0
      by.set(rates[i] ?? 0, entry)
    }
  }
  add(target, 0)
  add(achieved, 1)
  return [...by].map(([rate, [a, b]]) => [rate, a, b] as const).toSorted((a, b) => a[0] - b[0])
}

/**
 * Computes the Wasserstein-1 (earth mover's) distance, in pass rate: the integral of the difference of the distribution functions. It tells
 * a batch that is one level off from one that is five off, which the total variation does not.
 */
export const wasserstein = (target: Distribution, achieved: Distribution): number => {
  const rows = merged(target, achieved)
  let sum = 0
  let difference = 0
  rows.forEach(([rate, wanted, had], i) => {
    difference += wanted - had
    const next = rows[i + 1]?.[0]
    if (next !== undefined) sum += Math.abs(difference) * (next - rate)
  })
  return sum
}

/** Computes the total variation distance, half the sum of absolute differences: the share of a batch that would have to be exchanged. */
export const totalVariation = (target: Distribution, achieved: Distribution): number =>
  merged(target, achieved).reduce((sum, [, wanted, had]) => sum + Math.abs(wanted - had), 0) / 2
