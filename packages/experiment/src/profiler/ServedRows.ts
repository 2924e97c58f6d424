/** The table of a profile from servers, and its figures in sum. Pure. */
import { bounds, type Bounds } from "@gradus/curriculum/Estimate"
import { type FilterRule, decisionOf } from "@gradus/curriculum/Filter"
import { DropReason, ProfileRow } from "@gradus/domain/Profile"
import type { Question } from "@gradus/domain/Question"
import * as Schema from "effect/Schema"
import type { QuestionCounts } from "./Tally.ts"

/** A row of `profile.parquet`: the columns of every profile, then what only servers can be asked. */
export const ServedRow = Schema.Struct({
  ...ProfileRow.fields,
  /** Completions without a score; failures are not among them. */
  unscored: Schema.Int,
  /** Samples of which no completion could be had. */
  failed: Schema.Int,
  /** Completions without a text. */
  empty: Schema.Int,
  prompt_tokens: Schema.Finite,
  completion_tokens: Schema.Finite,
  /** Why the filter drops the question at the cut that was stated; null: it is kept. */
  reason: Schema.NullOr(DropReason),
  /** Dropped before all samples were asked: its rate is of fewer samples. */
  early: Schema.Boolean
})
export type ServedRow = typeof ServedRow.Type

/** Decides again for rows that were made with another cut: rates do not depend on it. */
export const withReasons = (rows: ReadonlyArray<ServedRow>, rule: FilterRule): ReadonlyArray<ServedRow> => {
  const decide = decisionOf(rule)
  return rows.map((row) => ({ ...row, reason: row.scored === 0 ? "unscored" : decide(row.passed, row.scored) }))
}

/** Makes the table, in the order of the questions. Bounds are computed once a pair of counts. */
export const servedRows = (
  questions: ReadonlyArray<Question>,
  countsOf: (question: number) => QuestionCounts,
  credibleLevel: number,
  rule: FilterRule
): ReadonlyArray<ServedRow> => {
  const decide = decisionOf(rule)
  const known = new Map<string, Bounds>()
  const boundsOf = (passed: number, scored: number): Bounds => {
    const key = `${passed}/${scored}`
    const found = known.get(key) ?? bounds(passed, scored, credibleLevel)
    known.set(key, found)
    return found
  }
  return questions.map(({ domain, question_id }, i): ServedRow => {
    const {
      asked,
      completion_tokens,
      completions,
      early,
      empty,
      failed,
      passed,
      prompt_tokens,
      scored,
      truncated,
      uncounted
    } = countsOf(i)
    const interval = scored === 0 ? null : boundsOf(passed, scored)
    const counted = completions - uncounted
    return {
      question_id,
      domain: domain ?? null,
      n: asked,
      scored,
      passed,
      rate: scored === 0 ? null : passed / scored,
      low: interval?.low ?? null,
      high: interval?.high ?? null,
      truncated,
      mean_tokens: counted === 0 ? 0 : completion_tokens / counted,
      unscored: completions - scored,
      failed,
      empty,
      prompt_tokens,
      completion_tokens,
      reason: scored === 0 ? "unscored" : decide(passed, scored),
      early
    }
  })
}
