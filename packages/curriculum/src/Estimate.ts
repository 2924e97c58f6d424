/** Estimates of how hard a question is: what a handful of scored answers says about its pass rate. */
import type { ProfileRow } from "@gradus/domain/Profile"
import { quantile } from "./Beta.ts"

/** The prior of all bounds, as the two parameters of a Beta distribution: uniform. */
export const PRIOR = [1, 1] as const

/** Bounds of a pass rate; each holds with the credible level on its own side. */
export interface Bounds {
  readonly low: number
  readonly high: number
}

/**
 * Bounds the pass rate behind `passed` of `scored` answers: the quantiles 1 - level and level of the posterior
 * Beta(1 + passed, 1 + scored - passed), which is the uniform prior's. Each bound is one-sided: at level .90 the rate is
 * above `low` with probability .90, and below `high` with probability .90.
 */
export const bounds = (passed: number, scored: number, credibleLevel: number): Bounds => {
  const [a, b] = PRIOR
  return {
    low: quantile(a + passed, b + scored - passed, 1 - credibleLevel),
    high: quantile(a + passed, b + scored - passed, credibleLevel)
  }
}

/**
 * Tells whether `scored` answers can ever show, at the credible level, that a pass rate is at least `rate`: with 8 answers
 * and a uniform prior the level .90 can (8 of 8 puts .925 above .75), the level .95 cannot.
 */
export const canShow = (scored: number, rate: number, credibleLevel: number): boolean =>
  bounds(scored, scored, credibleLevel).low >= rate

/** The least number of samples, up to 200, at which all of them passing shows that the rate is at least `rate`. */
const needed = (rate: number, credibleLevel: number): number | undefined =>
  Array.from({ length: 200 }, (_, i) => i + 1).find((n) => canShow(n, rate, credibleLevel))

/** Says where a rule that asks for the bounds could drop nothing at this number of samples, and from which number on it can. */
export const boundNotes = (
  samples: number,
  { credible_level, drop_at, floor }: { credible_level: number; drop_at: number; floor?: number | undefined }
): ReadonlyArray<string> => {
  const enough = needed(drop_at, credible_level)
  const from = enough === undefined ? "" : `; from ${enough} samples on one can`
  return [
    ...(canShow(samples, drop_at, credible_level)
      ? []
      : [
          `a rule that asks for the bound at ${credible_level} can drop nothing at ${drop_at} with ${samples} samples${from}`
        ]),
    ...(floor === undefined || bounds(0, samples, credible_level).high < floor
      ? []
      : [`a rule that asks for the bound at ${credible_level} can drop nothing below ${floor} with ${samples} samples`])
  ]
}

export interface EstimateInput {
  readonly question_id: string
  readonly domain?: string | null | undefined
  /** Samples that were asked for. */
  readonly n: number
  /** Values of the samples that came back; null = unscored, which counts neither way. */
  readonly scores: ReadonlyArray<number | null>
  /** Completions cut at their token limit. */
  readonly truncated: number
  readonly mean_tokens: number
  /** A scored completion passes when its value is at least this. */
  readonly passMark: number
  /** One-sided credible level of the bounds; .90 when absent. */
  readonly credibleLevel?: number | undefined
}

/** Estimates a question's pass rate from its scores, with the bounds of `bounds`; null where nothing was scored. */
export const estimate = (input: EstimateInput): ProfileRow => {
  const values = input.scores.filter((score) => score !== null)
  const scored = values.length
  const passed = values.filter((value) => value >= input.passMark).length
  const interval = scored === 0 ? null : bounds(passed, scored, input.credibleLevel ?? 0.9)
  return {
    question_id: input.question_id,
    domain: input.domain ?? null,
    n: input.n,
    scored,
    passed,
    rate: scored === 0 ? null : passed / scored,
    low: interval?.low ?? null,
    high: interval?.high ?? null,
    truncated: input.truncated,
    mean_tokens: input.mean_tokens
  }
}
