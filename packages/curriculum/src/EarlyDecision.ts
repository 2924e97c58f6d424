/**
 * Adaptive sampling: asking a question no longer than it takes to decide whether it is kept. Samples are asked in rounds; a question whose
 * posterior says "too easy" (or, with a floor, "below the floor") at the stated credibility, and whose rate says so by then, is dropped and asked no
 * more. Questions that are kept are completed to n before they get a level: an early stop must not bias the levels that the curriculum is made of.
 */
import { cumulative, logGamma } from "./Beta.ts"
import { decisionOf, type FilterRule } from "./Filter.ts"

export interface EarlyRule {
  readonly drop_at: number
  readonly floor?: number | undefined
  /** Samples of a question that is kept. */
  readonly samples: number
  /** Least probability, by the posterior, that the final decision will be to drop. */
  readonly certainty: number
  /** Samples after which a question may first be dropped; absent: 2. */
  readonly first?: number | undefined
  /** The Beta prior; absent: uniform, Beta(1, 1). */
  readonly prior?: readonly [a: number, b: number] | undefined
}

export type EarlyDecision = "drop_easy" | "drop_hard" | "complete" | "ask"

const logBeta = (a: number, b: number): number => logGamma(a) + logGamma(b) - logGamma(a + b)

/** Computes the probability of `more` passes in `rest` further samples after `passed` of `scored`: beta-binomial. */
export const predictive = (
  passed: number,
  scored: number,
  more: number,
  rest: number,
  [a, b]: readonly [number, number] = [1, 1]
): number => {
  const choose = logGamma(rest + 1) - logGamma(more + 1) - logGamma(rest - more + 1)
  const after = logBeta(a + passed + more, b + scored - passed + rest - more)
  return Math.exp(choose + after - logBeta(a + passed, b + scored - passed))
}

/** Computes how probable each final decision is: what the filter will say when all n samples are in. */
export const finalChances = (
  passed: number,
  scored: number,
  rule: EarlyRule
): { readonly easy: number; readonly hard: number } => {
  const decide = decisionOf({ drop_at: rule.drop_at, floor: rule.floor } satisfies FilterRule)
  const rest = Math.max(0, rule.samples - scored)
  let easy = 0
  let hard = 0
  for (let more = 0; more <= rest; more++) {
    const reason = decide(passed + more, scored + rest)
    const chance = predictive(passed, scored, more, rest, rule.prior)
    if (reason === "too_easy") easy += chance
    if (reason === "below_floor") hard += chance
  }
  return { easy, hard }
}

/**
 * Decides what to do with a question after `passed` of `scored` samples. With all samples asked it is complete, whatever they say. A question is dropped
 * only where the filter would drop it for its rate so far, too: whoever filters the table later decides as it was decided here.
 */
export const decideEarly = (passed: number, scored: number, rule: EarlyRule): EarlyDecision => {
  if (scored >= rule.samples) return "complete"
  if (scored < (rule.first ?? 2)) return "ask"
  const reason = decisionOf({ drop_at: rule.drop_at, floor: rule.floor })(passed, scored)
  if (reason === null) return "ask"
  const { easy, hard } = finalChances(passed, scored, rule)
  if (reason === "too_easy") return easy >= rule.certainty ? "drop_easy" : "ask"
  return hard >= rule.certainty ? "drop_hard" : "ask"
}

export interface EarlyPlan {
  /** The stops: after `scored` samples with at least (easy) or at most (hard) so many passes the question is dropped. */
  readonly stops: ReadonlyArray<{
    readonly scored: number
    readonly easyFrom: number | null
    readonly hardTo: number | null
  }>
  /** Expected samples a question that are not asked, over the distribution of pass rates. */
  readonly expectedSaved: number
  /** Expected share of all questions that are dropped early and that all n samples would have kept. */
  readonly expectedMisfiltered: number
  /** In words: what the rule can never do at this n. */
  readonly notes: ReadonlyArray<string>
}

/** Walks all histories of passes: the share of questions in each state that goes on, by dynamic programming. O(n^2). */
const walk = (rule: EarlyRule, passChance: (passed: number, scored: number) => number) => {
  let open = new Map([[0, 1]])
  let saved = 0
  let misfiltered = 0
  for (let scored = 0; scored < rule.samples; scored++) {
    const next = new Map<number, number>()
    for (const [passed, share] of open) {
      const decision = decideEarly(passed, scored, rule)
      if (decision === "drop_easy" || decision === "drop_hard") {
        saved += share * (rule.samples - scored)
        const { easy, hard } = finalChances(passed, scored, rule)
        misfiltered += share * (1 - easy - hard)
        continue
      }
      const p = passChance(passed, scored)
      next.set(passed + 1, (next.get(passed + 1) ?? 0) + share * p)
      next.set(passed, (next.get(passed) ?? 0) + share * (1 - p))
    }
    open = next
  }
  return { saved, misfiltered }
}

/** Computes where the rule stops, what it saves and what it gets wrong, for questions whose rates are distributed as the prior says. */
export const earlyPlan = (rule: EarlyRule): EarlyPlan => {
  const [a, b] = rule.prior ?? [1, 1]
  const stops = Array.from({ length: Math.max(0, rule.samples - 1) }, (_, i) => {
    const scored = i + 1
    const counts = Array.from({ length: scored + 1 }, (_each, passed) => passed)
    const easyFrom = counts.find((passed) => decideEarly(passed, scored, rule) === "drop_easy") ?? null
    const hardTo = counts.findLast((passed) => decideEarly(passed, scored, rule) === "drop_hard") ?? null
    return { scored, easyFrom, hardTo }
  }).filter(({ easyFrom, hardTo }) => easyFrom !== null || hardTo !== null)
  const { misfiltered, saved } = walk(rule, (passed, scored) => (a + passed) / (a + b + scored))
  const notes: Array<string> = []
  if (stops.every(({ easyFrom }) => easyFrom === null)) {
    notes.push(
      `at certainty ${rule.certainty} and n = ${rule.samples} no question can be dropped as too easy before all samples are in`
    )
  }
  if (rule.floor !== undefined && stops.every(({ hardTo }) => hardTo === null)) {
    notes.push(
      `at certainty ${rule.certainty} and n = ${rule.samples} no question can be dropped as below the floor before all samples are in`
    )
  }
  return { stops, expectedSaved: saved, expectedMisfiltered: misfiltered, notes }
}

/**
 * Computes the expected share of kept and dropped questions that are on the wrong side of the cut, given their counts: the posterior probability
 * that the true rate is on the other side of drop_at than the measured one. It is what the filter gets wrong even with all samples.
 */
export const misfilterRate = (
  rows: ReadonlyArray<{ readonly passed: number; readonly scored: number }>,
  rule: FilterRule,
  [a, b]: readonly [number, number] = [1, 1]
): number => {
  const decide = decisionOf(rule)
  const known = new Map<string, number>()
  const wrong = (passed: number, scored: number): number => {
    const below = cumulative(a + passed, b + scored - passed, rule.drop_at)
    return decide(passed, scored) === "too_easy" ? below : 1 - below
  }
  let sum = 0
  let counted = 0
  for (const { passed, scored } of rows) {
    if (scored === 0) continue
    const key = `${passed}/${scored}`
    const chance = known.get(key) ?? wrong(passed, scored)
    known.set(key, chance)
    sum += chance
    counted++
  }
  return counted === 0 ? 0 : sum / counted
}
