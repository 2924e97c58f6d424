/** Performance profiles: the share of runs above each score (Agarwal et al. 2021, section 4.2; Dolan and Moré 2002). */

/** Computes the share of scores that are above each threshold, strictly, as rliable's `run_score_deviation`; null without scores. */
export const performanceProfile = (
  scores: ReadonlyArray<number>,
  thresholds: ReadonlyArray<number>
): ReadonlyArray<number> | null =>
  scores.length === 0
    ? null
    : thresholds.map((threshold) => scores.filter((score) => score > threshold).length / scores.length)
