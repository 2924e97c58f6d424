/** How the centre and the width of a target distribution move from the first batch of a pass to its last. */

/** Paths of the centre from start (progress 0) to end (progress 1); `quantile` needs the pool and stands apart. */
export type Path = "linear" | "cosine" | "root" | "step"

/** Computes how far along its way a batch is: 0 for the first of `span`, 1 for the last and after it. */
export const progress = (step: number, span: number): number => (span <= 1 ? 0 : Math.min(1, step / (span - 1)))

/**
 * Bends progress u: linear u; cosine (1 - cos pi u) / 2, slow at both ends; root sqrt(u), fast at first (Platanios et al. 2019);
 * step floor(u k) / (k - 1), which stays on each of k stairs equally long.
 */
export const bend = (path: Path, u: number, stairs: number): number => {
  switch (path) {
    case "linear":
      return u
    case "cosine":
      return (1 - Math.cos(Math.PI * u)) / 2
    case "root":
      return Math.sqrt(u)
    case "step":
      return stairs <= 1 ? 0 : Math.min(stairs - 1, Math.floor(u * stairs + 1e-9)) / (stairs - 1)
  }
}

/**
 * Computes the centre that moves evenly through a pool's own distribution: the mean pass rate of the step-th of `span` equal slices of
 * the pool, sorted from easy to hard. With it easy and hard questions run out together. `rates` rise; `counts` are the pool's at its start.
 */
export const quantileCentre = (
  rates: ArrayLike<number>,
  counts: ArrayLike<number>,
  step: number,
  span: number
): number => {
  let total = 0
  for (let j = 0; j < counts.length; j++) total += counts[j] ?? 0
  const slice = Math.min(step, span - 1)
  const [from, to] = [(slice * total) / Math.max(1, span), ((slice + 1) * total) / Math.max(1, span)]
  let sum = 0
  let above = 0
  for (let j = rates.length - 1; j >= 0; j--) {
    const below = above + (counts[j] ?? 0)
    sum += (rates[j] ?? 0) * Math.max(0, Math.min(to, below) - Math.max(from, above))
    above = below
  }
  return total === 0 ? 0 : sum / (to - from)
}

/** Computes the width: from `sigma` to `end` linearly in progress, or `sigma` throughout. */
export const width = (sigma: number, end: number | null, u: number): number =>
  end === null ? sigma : sigma + (end - sigma) * u
