/** Statistics of shares: how far a measured accuracy may be from the true one. */

/** The 97.5 % quantile of the standard normal. (simple-statistics has an approximation that is off by 5e-4: the fourth decimal of a bound.) */
const Z = 1.959963984540054

/** Bounds of an interval, both in [0, 1]. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** Computes the binomial standard error sqrt(p (1 - p) / n) of a share p of n samples; null when n is 0. Samples count as independent. */
export const binomialStandardError = (share: number, samples: number): number | null =>
  samples > 0 ? Math.sqrt((share * (1 - share)) / samples) : null

/** Computes the standard error of the difference of two independent shares; null when one of them has no samples. */
export const differenceStandardError = (
  first: { readonly share: number; readonly samples: number },
  last: { readonly share: number; readonly samples: number }
): number | null => {
  const a = binomialStandardError(first.share, first.samples)
  const b = binomialStandardError(last.share, last.samples)
  return a === null || b === null ? null : Math.hypot(a, b)
}

/**
 * Computes Wilson's score interval of a share (Wilson 1927, without continuity correction), two-sided at 95 %;
 * null when there are no samples. Unlike p ± z SE it stays in [0, 1] and has a width at p = 0 and p = 1.
 */
export const wilsonInterval = (share: number, samples: number): Interval | null => {
  if (samples <= 0) return null
  const scale = 1 + (Z * Z) / samples
  const centre = (share + (Z * Z) / (2 * samples)) / scale
  const half = (Z / scale) * Math.sqrt((share * (1 - share)) / samples + (Z * Z) / (4 * samples * samples))
  return { low: Math.max(0, Math.min(share, centre - half)), high: Math.min(1, Math.max(share, centre + half)) }
}
