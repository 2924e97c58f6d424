/** What an early rule saved and what it is expected to have cost, in a finished profile. Pure. */
import { earlyPlan, type EarlyRule, finalChances } from "@gradus/curriculum/EarlyDecision"

export interface EarlyFigures {
  readonly certainty: number
  /** Questions that were dropped before all their samples were asked. */
  readonly dropped: number
  /** Samples that were not asked, and their share of questions x samples. */
  readonly saved: number
  readonly saved_share: number
  /** Expected share of all questions that were dropped early and that all samples would have kept, by the posterior at each stop. */
  readonly expected_misfiltered: number
  /** The same and the share saved, expected before anything is asked, where pass rates are distributed as the prior says. */
  readonly prior_misfiltered: number
  readonly prior_saved_share: number
  readonly notes: ReadonlyArray<string>
}

/** Computes the figures; a row's `n` is the number of samples that were asked. */
export const earlyFigures = (
  rows: ReadonlyArray<{
    readonly n: number
    readonly scored: number
    readonly passed: number
    readonly early: boolean
  }>,
  rule: EarlyRule
): EarlyFigures => {
  const early = rows.filter((row) => row.early)
  const saved = early.reduce((sum, { n }) => sum + rule.samples - n, 0)
  const wrong = early.reduce((sum, { passed, scored }) => {
    const { easy, hard } = finalChances(passed, scored, rule)
    return sum + 1 - easy - hard
  }, 0)
  const plan = earlyPlan(rule)
  return {
    certainty: rule.certainty,
    dropped: early.length,
    saved,
    saved_share: rows.length === 0 ? 0 : saved / (rows.length * rule.samples),
    expected_misfiltered: rows.length === 0 ? 0 : wrong / rows.length,
    prior_misfiltered: plan.expectedMisfiltered,
    prior_saved_share: plan.expectedSaved / rule.samples,
    notes: plan.notes
  }
}
