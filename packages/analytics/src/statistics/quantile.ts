/** Quantiles of resamples. */

/** Reads a quantile of sorted values, linear between neighbours (type 7 of Hyndman and Fan 1996, numpy's default); null without values. */
export const quantileSorted = (sorted: ReadonlyArray<number> | Float64Array, q: number): number | null => {
  if (sorted.length === 0) return null
  const place = q * (sorted.length - 1)
  const below = Math.floor(place)
  const low = sorted[below] ?? 0
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? low
  return low + (high - low) * (place - below)
}
