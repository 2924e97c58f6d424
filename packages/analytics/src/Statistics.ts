/** Statistics of shares: how far a measured accuracy may be from the true one. */
import { probit } from "simple-statistics"

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
 * Computes Wilson's score interval of a share (Wilson 1927, without continuity correction), two-sided at `level`;
 * null when there are no samples. Unlike p ± z SE it stays in [0, 1] and has a width at p = 0 and p = 1.
 */
export const wilsonInterval = (share: number, samples: number, level = 0.95): Interval | null => {
  if (samples <= 0) return null
  const z = probit(1 - (1 - level) / 2)
  const scale = 1 + (z * z) / samples
  const centre = (share + (z * z) / (2 * samples)) / scale
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / samples + (z * z) / (4 * samples * samples))
  return { low: Math.max(0, Math.min(share, centre - half)), high: Math.min(1, Math.max(share, centre + half)) }
}
