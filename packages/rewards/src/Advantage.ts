/** Advantages: how much better a completion is than its group. Unscored completions (null) stay out of mean, std and count. */
import type { AdvantageRule } from "@gradus/domain/manifest/Manifest"

/** Added to the standard deviation of `grpo`, as TRL does. */
export const GRPO_EPSILON = 1e-4
/** A group whose values differ by no more teaches nothing, where the manifest says nothing else. */
export const ZERO_RANGE = 1e-8

export interface GroupAdvantages {
  /** One per value, in order; null where the value is null, and everywhere in a dropped group. */
  readonly advantages: ReadonlyArray<number | null>
  /** Mean of the scored values; NaN when there are none. */
  readonly mean: number
  /** Standard deviation of the scored values with ddof 1; 0 when there are fewer than two. */
  readonly std: number
  /** How many values are not null. */
  readonly scored: number
  /** True when the scored values do not differ: all advantages are 0. */
  readonly zeroVariance: boolean
  /** True when fewer than the floor were scored: the group is not trained on and its question goes back. */
  readonly dropped: boolean
}

const meanOf = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

const rangeOf = (values: ReadonlyArray<number>): number =>
  values.reduce((high, value) => Math.max(high, value), -Infinity) -
  values.reduce((low, value) => Math.min(low, value), Infinity)

const stdOf = (values: ReadonlyArray<number>, tolerance: number): number => {
  if (values.length < 2 || rangeOf(values) <= tolerance) return 0
  const mean = meanOf(values)
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1))
}

/** A value less the mean of the others, divided by their standard deviation where they differ by more than `tolerance`; undefined: never divided. */
const leaveOneOut = (values: ReadonlyArray<number>, index: number, tolerance?: number): number => {
  const others = values.toSpliced(index, 1)
  const gap = (values[index] ?? 0) - meanOf(others)
  const std = tolerance === undefined ? 0 : stdOf(others, tolerance)
  return std > 0 ? gap / std : gap
}

const compute = (rule: AdvantageRule, scored: ReadonlyArray<number>, tolerance: number): ReadonlyArray<number> => {
  const mean = meanOf(scored)
  switch (rule) {
    case "grpo": {
      const scale = stdOf(scored, tolerance) + GRPO_EPSILON
      return scored.map((value) => (value - mean) / scale)
    }
    case "dr_grpo":
      return scored.map((value) => value - mean)
    case "rloo":
      return scored.map((_, i) => leaveOneOut(scored, i))
    case "loo_std":
      return scored.map((_, i) => leaveOneOut(scored, i, tolerance))
  }
}

/**
 * Computes the advantages of one group (design, section 5):
 * `grpo` (r - mean) / (s + 1e-4) with s of ddof 1; `dr_grpo` r - mean; `rloo` r - mean of the others; `loo_std` (the paper's code) that,
 * divided by the others' standard deviation (ddof 1) where they differ. A group whose range is at most `tolerance` gives zeros;
 * one with fewer than `floor` scored values is dropped.
 */
export const advantages = (
  rule: AdvantageRule,
  values: ReadonlyArray<number | null>,
  floor: number = 2,
  tolerance: number = ZERO_RANGE
): GroupAdvantages => {
  const scored = values.filter((value) => value !== null)
  const summary = { mean: meanOf(scored), std: stdOf(scored, tolerance), scored: scored.length }
  if (scored.length < Math.max(1, floor)) {
    return { ...summary, advantages: values.map(() => null), zeroVariance: false, dropped: true }
  }
  const zeroVariance = rangeOf(scored) <= tolerance
  const computed = zeroVariance ? scored.map(() => 0) : compute(rule, scored, tolerance)
  let next = 0
  return {
    ...summary,
    advantages: values.map((value) => (value === null ? null : (computed[next++] ?? null))),
    zeroVariance,
    dropped: false
  }
}
