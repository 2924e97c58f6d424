/** Unbiased pass@k (Chen et al. 2021, arXiv 2107.03374, equation 1). */

/** Computes `1 - C(n - c, k) / C(n, k)`, the chance that k of n samples drawn without replacement hold one of the c right ones; null where k > n. */
export const passAtK = (samples: number, right: number, k: number): number | null => {
  if (k > samples || k < 1) return null
  if (samples - right < k) return 1
  let missed = 1
  for (let i = samples - right + 1; i <= samples; i++) missed *= 1 - k / i
  return 1 - missed
}
