/** Interquartile mean: the mean of the middle half of the values (Agarwal et al. 2021, arXiv 2108.13264). */

/** Averages values after a quarter of them is cut off at each end, `floor(n / 4)` values, as scipy's `trim_mean(x, 0.25)`; null without values. */
export const interquartileMean = (values: ReadonlyArray<number>): number | null => {
  if (values.length === 0) return null
  const cut = Math.floor(values.length / 4)
  const middle = values.toSorted((a, b) => a - b).slice(cut, values.length - cut)
  return middle.reduce((sum, value) => sum + value, 0) / middle.length
}
