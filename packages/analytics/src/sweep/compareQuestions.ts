/** Two runs question by question on one evaluation set: the same questions were asked, so their difficulty cancels. */
import type { Interval } from "../Statistics.ts"
import { clusteredError } from "../statistics/clusteredError.ts"
import { passAtK } from "../statistics/passAtK.ts"

/** The 97.5 % quantile of the standard normal. */
const Z = 1.959963984540054

/** One completion of an evaluation; null: not scored. */
export interface ScoredSample {
  readonly question_id: string
  readonly value: number | null
}

export interface QuestionSummary {
  readonly questions: number
  readonly samples: number
  readonly mean: number | null
  /** Clustered by question. */
  readonly standardError: number | null
  /** Unbiased pass@k by k, the mean over the questions that have k scored samples. */
  readonly passAtK: Readonly<Record<string, number>>
}

export interface QuestionDifference {
  readonly questions: number
  readonly mean: number | null
  /** Normal interval of the mean of the questions' differences. */
  readonly interval: Interval | null
  readonly better: number
  readonly worse: number
}

const byQuestion = (samples: ReadonlyArray<ScoredSample>): ReadonlyMap<string, ReadonlyArray<number>> => {
  const groups = new Map<string, Array<number>>()
  for (const { question_id, value } of samples) {
    if (value === null) continue
    const group = groups.get(question_id)
    if (group === undefined) groups.set(question_id, [value])
    else group.push(value)
  }
  return groups
}

const meanOf = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Sums one run's samples up; a sample counts as right from `mark` on. */
export const questionSummary = (samples: ReadonlyArray<ScoredSample>, mark = 1): QuestionSummary => {
  const groups = [...byQuestion(samples).values()]
  const clustered = clusteredError(groups)
  const most = Math.max(0, ...groups.map((values) => values.length))
  const at = (k: number) =>
    groups.flatMap((values) => passAtK(values.length, values.filter((value) => value >= mark).length, k) ?? [])
  return {
    questions: groups.length,
    samples: clustered?.samples ?? 0,
    mean: clustered?.mean ?? null,
    standardError: clustered?.standardError ?? null,
    passAtK: Object.fromEntries(Array.from({ length: most }, (_, i) => [String(i + 1), meanOf(at(i + 1))]))
  }
}

/** Compares two runs over the questions that both have scored. */
export const questionDifference = (
  first: ReadonlyArray<ScoredSample>,
  second: ReadonlyArray<ScoredSample>
): QuestionDifference => {
  const [a, b] = [byQuestion(first), byQuestion(second)]
  const differences = [...a].flatMap(([id, values]) => {
    const others = b.get(id)
    return others === undefined ? [] : [meanOf(others) - meanOf(values)]
  })
  const clustered = clusteredError(differences.map((value) => [value]))
  const half = clustered === null ? 0 : Z * clustered.standardError
  return {
    questions: differences.length,
    mean: clustered?.mean ?? null,
    interval:
      clustered === null || differences.length < 2 ? null : { low: clustered.mean - half, high: clustered.mean + half },
    better: differences.filter((value) => value > 0).length,
    worse: differences.filter((value) => value < 0).length
  }
}
