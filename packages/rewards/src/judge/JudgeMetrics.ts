/** What a judge said and cost in a step: metrics, and the records that a run stores. */
import type { MetricsRow } from "@gradus/domain/Metrics"
import type { Score, ScoreRequest, Verdict } from "@gradus/domain/Score"
import type { VerdictRecord } from "@gradus/domain/VerdictRecord"

const verdictsOf = (scores: ReadonlyArray<Score>): ReadonlyArray<Verdict> =>
  scores.flatMap(({ verdict }) => (verdict === undefined ? [] : [verdict]))

/**
 * Counts the verdicts of a step under `judge/…`: yes, no, unreadable, failed; guarded (no without a call); tokens, and cost in the currency of
 * the price table (null where nothing has a price). They are the prices of what was said, whether it was paid now or known before, so that a
 * run that is cut and goes on counts the same; what was paid stands with each verdict (`cached`). Scores without a verdict are in none of them.
 */
export const judgeMetrics = (scores: ReadonlyArray<Score>): MetricsRow["metrics"] => {
  const verdicts = verdictsOf(scores)
  const count = (holds: (verdict: Verdict) => boolean): number => verdicts.filter(holds).length
  const sum = (of: (verdict: Verdict) => number): number => verdicts.reduce((total, verdict) => total + of(verdict), 0)
  const yes = count(({ verdict }) => verdict === "yes")
  const no = count(({ verdict }) => verdict === "no")
  return {
    "judge/yes": yes,
    "judge/no": no,
    "judge/unreadable": count(({ verdict }) => verdict === "unreadable"),
    "judge/failed": count(({ verdict }) => verdict === "failed"),
    "judge/guarded": count(({ guard }) => guard !== undefined),
    "judge/mean": yes + no === 0 ? null : yes / (yes + no),
    "judge/prompt_tokens": sum((verdict) => verdict.prompt_tokens),
    "judge/completion_tokens": sum((verdict) => verdict.completion_tokens),
    "judge/cost": verdicts.some(({ cost }) => cost !== undefined) ? sum(({ cost }) => cost ?? 0) : null
  }
}

/** Writes the verdicts of scored requests as records; `scores` is aligned to `requests`. */
export const verdictRecords = (
  requests: ReadonlyArray<Pick<ScoreRequest, "id">>,
  scores: ReadonlyArray<Score>
): ReadonlyArray<VerdictRecord> =>
  requests.flatMap(({ id }, i): ReadonlyArray<VerdictRecord> => {
    const verdict = scores[i]?.verdict
    if (verdict === undefined) return []
    const { votes: _, failure_tag: __, cost = null, cached = false, guard = null, failure = null, ...said } = verdict
    return [{ sample_id: id, ...said, cost, cached, guard, failure }]
  })
