/** Percentile bootstrap (Efron 1979) of any statistic, with draws from the seed tree: equal inputs and seeds give equal intervals. */
import * as Seed from "@gradus/domain/Seed"
import type { Interval } from "../Statistics.ts"
import { quantileSorted } from "./quantile.ts"

/** Below so many seeds no interval is given: resampling two values shows three. */
export const LEAST_SEEDS = 3

export interface BootstrapOptions {
  readonly seed: Seed.Seed
  readonly resamples: number
  /** Two-sided coverage; absent: 0.95. */
  readonly level?: number | undefined
}

const intervalOf = (estimates: Float64Array, level: number): Interval | null => {
  const sorted = estimates.filter((value) => Number.isFinite(value)).toSorted()
  const low = quantileSorted(sorted, (1 - level) / 2)
  const high = quantileSorted(sorted, 1 - (1 - level) / 2)
  return low === null || high === null ? null : { low, high }
}

/**
 * Computes a stratified bootstrap interval: in each stratum (a task, an evaluation set) as many values are drawn with replacement as it has, and
 * the statistic is taken of all strata. null where a stratum has fewer than three values.
 */
export const stratifiedBootstrap = (
  strata: ReadonlyArray<ReadonlyArray<number>>,
  statistic: (strata: ReadonlyArray<ReadonlyArray<number>>) => number | null,
  { level = 0.95, resamples, seed }: BootstrapOptions
): Interval | null => {
  if (strata.length === 0 || strata.some((values) => values.length < LEAST_SEEDS)) return null
  const streams = strata.map((_, stratum) => Seed.stream(Seed.child(seed, "stratum", stratum)))
  const estimates = new Float64Array(resamples)
  for (let r = 0; r < resamples; r++) {
    const drawn = strata.map((values, s) =>
      Array.from(values, () => values[streams[s]?.below(values.length) ?? 0] ?? Number.NaN)
    )
    estimates[r] = statistic(drawn) ?? Number.NaN
  }
  return intervalOf(estimates, level)
}

/**
 * Computes a bootstrap interval over paired units: seeds are drawn with replacement, and what belongs to a seed stays together. The statistic gets
 * the indices of the drawn units. null below three units.
 */
export const pairedBootstrap = (
  units: number,
  statistic: (indices: ReadonlyArray<number>) => number | null,
  { level = 0.95, resamples, seed }: BootstrapOptions
): Interval | null => {
  if (units < LEAST_SEEDS) return null
  const stream = Seed.stream(Seed.child(seed, "paired"))
  const estimates = new Float64Array(resamples)
  const indices = Array.from({ length: units }, () => 0)
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < units; i++) indices[i] = stream.below(units)
    estimates[r] = statistic(indices) ?? Number.NaN
  }
  return intervalOf(estimates, level)
}
