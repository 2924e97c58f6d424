/** The filter: questions that the policy answers too often teach nothing and are dropped (paper, section 1: p >= 0.75). */
import type { DropReason, FilterRow, RatedQuestion } from "@gradus/domain/Profile"

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
}

export interface Filtered {
  /** The decision for every question, in input order. */
  readonly rows: ReadonlyArray<FilterRow>
  readonly kept: ReadonlyArray<RatedQuestion>
  /** Scored questions, kept or not, by number of passes: every key from "0" to the largest number of samples. */
  readonly byLevel: Readonly<Record<string, number>>
}

const reasonOf = (row: Profiled, rule: FilterRule): DropReason | null => {
  if (row.scored === 0) return "unscored"
  const rate = row.passed / row.scored
  if (rate >= rule.drop_at) return "too_easy"
  return rule.floor !== undefined && rate < rule.floor ? "below_floor" : null
}

/**
 * Decides for every question whether it stays. `samples` is the N up to which `byLevel` has keys; when absent it is the
 * largest `scored`. Rates are compared as doubles, so 6/8 meets .75 exactly.
 */
export const filter = (input: ReadonlyArray<Profiled>, rule: FilterRule, samples?: number): Filtered => {
  const rows: Array<FilterRow> = []
  const kept: Array<RatedQuestion> = []
  const highest = input.reduce((most, row) => Math.max(most, row.scored), samples ?? 0)
  const counts = Array.from({ length: highest + 1 }, () => 0)
  for (const row of input) {
    const { passed, question_id, scored } = row
    const reason = reasonOf(row, rule)
    const rate = scored === 0 ? null : passed / scored
    rows.push({ question_id, passed, scored, rate, kept: reason === null, reason })
    if (scored > 0) counts[passed] = (counts[passed] ?? 0) + 1
    if (reason === null) {
      kept.push(
        row.domain == null ? { question_id, passed, scored } : { question_id, passed, scored, domain: row.domain }
      )
    }
  }
  return { rows, kept, byLevel: Object.fromEntries(counts.map((count, passed) => [String(passed), count])) }
}
