/** Taking levels one after the other in a given order of levels. */

/** Lists levels from the highest rate to the lowest; equal rates by index. */
export const easiestFirst = (rates: ArrayLike<number>): Array<number> =>
  Array.from({ length: rates.length }, (_, j) => j).toSorted((a, b) => (rates[b] ?? 0) - (rates[a] ?? 0) || a - b)

/** Lists levels from the nearest to a rate to the farthest; of two equally near the lower rate comes first. */
export const nearestFirst = (rates: ArrayLike<number>, to: number): Array<number> => {
  const distance = Array.from({ length: rates.length }, (_, j) => Math.round(Math.abs((rates[j] ?? 0) - to) * 1e9))
  return Array.from({ length: rates.length }, (_, j) => j).toSorted(
    (a, b) => (distance[a] ?? 0) - (distance[b] ?? 0) || (rates[a] ?? 0) - (rates[b] ?? 0) || a - b
  )
}

/** Takes `size` questions: all of the first level, then all of the second, until there are enough. */
export const takeInOrder = (size: number, order: ReadonlyArray<number>, available: ArrayLike<number>): Int32Array => {
  const take = new Int32Array(available.length)
  let missing = size
  for (const level of order) {
    take[level] = Math.min(missing, available[level] ?? 0)
    missing -= take[level] ?? 0
    if (missing === 0) break
  }
  return take
}
