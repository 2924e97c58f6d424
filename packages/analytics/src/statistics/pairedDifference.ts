/** The difference of two arms over the seeds that both have: what a paired sweep measures. */
import type { Interval } from "../Statistics.ts"
import { type BootstrapOptions, pairedBootstrap } from "./bootstrap.ts"
import { interquartileMean } from "./interquartileMean.ts"

export interface PairedDifference {
  readonly pairs: number
  /** Mean of `arm - baseline` over the pairs; null without one. */
  readonly mean: number | null
  /** Interquartile mean of the same differences. */
  readonly iqm: number | null
  /** Percentile interval of the mean over resampled pairs; null below three. */
  readonly interval: Interval | null
  /** Pairs in which the arm is above, equal, below. */
  readonly wins: number
  readonly ties: number
  readonly losses: number
}

export interface Pair {
  readonly arm: number
  readonly baseline: number
}

const meanOf = (values: ReadonlyArray<number>): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length

/** Compares an arm with a baseline pair by pair. */
export const pairedDifference = (pairs: ReadonlyArray<Pair>, options: BootstrapOptions): PairedDifference => {
  const differences = pairs.map(({ arm, baseline }) => arm - baseline)
  return {
    pairs: pairs.length,
    mean: meanOf(differences),
    iqm: interquartileMean(differences),
    interval: pairedBootstrap(
      differences.length,
      (indices) => indices.reduce((sum, i) => sum + (differences[i] ?? 0), 0) / indices.length,
      options
    ),
    wins: differences.filter((value) => value > 0).length,
    ties: differences.filter((value) => value === 0).length,
    losses: differences.filter((value) => value < 0).length
  }
}
