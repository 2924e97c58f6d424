/** Probability of improvement: how often a run of one arm is above a run of another (Mann and Whitney's U over n m; Agarwal et al. 2021). */

/** Computes P(x > y) + P(x = y) / 2 over all pairs of a run of each; null where one arm has none. */
export const probabilityOfImprovement = (x: ReadonlyArray<number>, y: ReadonlyArray<number>): number | null => {
  if (x.length === 0 || y.length === 0) return null
  let wins = 0
  for (const a of x) for (const b of y) wins += a > b ? 1 : a === b ? 0.5 : 0
  return wins / (x.length * y.length)
}
