/** The filter: questions that the policy answers too often teach nothing and are dropped (paper, section 1: p >= 0.75). */
import type { DropReason, FilterRow, RatedQuestion } from "@gradus/domain/Profile"
import { bounds } from "./Estimate.ts"
import { PoolInvalid } from "./PoolInvalid.ts"

/** What the filter reads of a profile row or of a rated question. */
export interface Profiled {
  readonly question_id: string
  readonly passed: number
  readonly scored: number
  readonly domain?: string | null | undefined
}

export interface FilterRule {
  /** Questions with passed / scored at or above this are dropped. */
  readonly drop_at: number
  /** Questions below this are dropped; absent: questions that are never answered stay. */
  readonly floor?: number | undefined
  /**
   * The interval rule: a question is dropped only when its posterior shows the rate to be beyond the cut with this one-sided credibility, that
   * is, when the lower bound reaches drop_at or the upper bound stays below the floor. Absent: the measured rate decides.
   */
  readonly credible_level?: number | undefined
}

export interface Filtered {
  /** The decision for every question, in input order. */
  readonly rows: ReadonlyArray<FilterRow>
  readonly kept: ReadonlyArray<RatedQuestion>
  /** Scored questions, kept or not, by number of passes: every key from "0" to the largest number of samples. */
  readonly byLevel: Readonly<Record<string, number>>
  /** Questions by decision: kept, and each reason to drop. */
  readonly byReason: Readonly<Record<"kept" | DropReason, number>>
  /** What the rule cannot do at these numbers of samples, and what it comes to in passes. */
  readonly notes: ReadonlyArray<string>
}

type Decide = (passed: number, scored: number) => DropReason | null

const byRate =
  ({ drop_at, floor }: FilterRule): Decide =>
  (passed, scored) => {
    const rate = passed / scored
    if (rate >= drop_at) return "too_easy"
    return floor !== undefined && rate < floor ? "below_floor" : null
  }

/** Bounds take 60 evaluations of the incomplete beta: they are computed once a pair of counts. */
const byInterval = ({ drop_at, floor }: FilterRule, credibleLevel: number): Decide => {
  const known = new Map<string, DropReason | null>()
  return (passed, scored) => {
    const key = `${passed}/${scored}`
    const found = known.get(key)
    if (found !== undefined) return found
    const { high, low } = bounds(passed, scored, credibleLevel)
    const reason = low >= drop_at ? "too_easy" : floor !== undefined && high < floor ? "below_floor" : null
    known.set(key, reason)
    return reason
  }
}

/** Makes the decision of a rule for counts of passed and scored samples; the result may be called for any number of questions. */
export const decisionOf = (rule: FilterRule): Decide =>
  rule.credible_level === undefined ? byRate(rule) : byInterval(rule, rule.credible_level)

const firstDropped = (decide: Decide, samples: number): number | undefined =>
  Array.from({ length: samples + 1 }, (_, passed) => passed).find((passed) => decide(passed, samples) === "too_easy")

/** Says what a rule comes to at each number of samples that occurs: from which count it drops, or that it can drop nothing. */
const notesOf = (rule: FilterRule, decide: Decide, scoredCounts: ReadonlySet<number>): Array<string> =>
  [...scoredCounts]
    .filter((samples) => samples > 0)
    .toSorted((a, b) => a - b)
    .flatMap((samples) => {
      const from = firstDropped(decide, samples)
      const at = rule.credible_level === undefined ? "" : ` at credible level ${rule.credible_level}`
      if (from === undefined && rule.drop_at <= 1) {
        return [
          `with ${samples} samples the cut at ${rule.drop_at}${at} can never drop a question: more samples are needed`
        ]
      }
      const never = rule.floor !== undefined && decide(0, samples) !== "below_floor"
      return never && rule.credible_level !== undefined
        ? [`with ${samples} samples the floor at ${rule.floor}${at} can never drop a question: more samples are needed`]
        : []
    })

const checkCounts = ({ passed, question_id, scored }: Profiled, i: number): void => {
  if (Number.isInteger(passed) && Number.isInteger(scored) && passed >= 0 && passed <= scored) return
  throw new PoolInvalid({ question_id, row: i + 1, reason: `has no pass rate: ${passed} of ${scored}` })
}

/**
 * Decides for every question whether it stays. `samples` is the N up to which `byLevel` has keys; when absent it is the
 * largest `scored`. Rates are compared as doubles, so 6/8 meets .75 exactly. Time is linear.
 * Throws `PoolInvalid` for counts that are none and for an id that occurs twice.
 */
export const filter = (input: ReadonlyArray<Profiled>, rule: FilterRule, samples?: number): Filtered => {
  const rows: Array<FilterRow> = []
  const kept: Array<RatedQuestion> = []
  const highest = input.reduce((most, row) => Math.max(most, row.scored), samples ?? 0)
  const counts = Array.from({ length: Number.isFinite(highest) ? highest + 1 : 1 }, () => 0)
  const byReason = { kept: 0, too_easy: 0, below_floor: 0, unscored: 0 }
  const decide = decisionOf(rule)
  const seen = new Map<string, number>()
  input.forEach((row, i) => {
    checkCounts(row, i)
    const { passed, question_id, scored } = row
    const first = seen.get(question_id)
    if (first !== undefined) {
      throw new PoolInvalid({ question_id, row: i + 1, reason: `is there twice: row ${first + 1} has the id already` })
    }
    seen.set(question_id, i)
    const reason = scored === 0 ? "unscored" : decide(passed, scored)
    byReason[reason ?? "kept"] += 1
    rows.push({
      question_id,
      passed,
      scored,
      rate: scored === 0 ? null : passed / scored,
      kept: reason === null,
      reason
    })
    if (scored > 0) counts[passed] = (counts[passed] ?? 0) + 1
    if (reason === null) {
      kept.push(
        row.domain == null ? { question_id, passed, scored } : { question_id, passed, scored, domain: row.domain }
      )
    }
  })
  const byLevel = Object.fromEntries(counts.map((count, passed) => [String(passed), count]))
  return { rows, kept, byLevel, byReason, notes: notesOf(rule, decide, new Set(input.map(({ scored }) => scored))) }
}
