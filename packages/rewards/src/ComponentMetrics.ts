/** Metrics of the parts of scores, in TRL's spelling: `rewards/<part>/mean` and `rewards/<part>/std`. */
import type { Components, Score } from "@gradus/domain/Score"

const PARTS: ReadonlyArray<keyof Components> = ["accuracy", "format", "overlong"]

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Standard deviation with ddof 1, as TRL's `nanstd`; null for fewer than two values. */
const std = (values: ReadonlyArray<number>): number | null => {
  if (values.length < 2) return null
  const centre = mean(values)
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1))
}

/**
 * Summarises every part that some score has, over the scores that have it; unscored completions have no accuracy and
 * stay out of its mean. Parts that no score has are left out.
 */
export const componentMetrics = (scores: ReadonlyArray<Score>): Readonly<Record<string, number | null>> =>
  Object.fromEntries(
    PARTS.flatMap((part) => {
      const values = scores.flatMap(({ components }) => components[part] ?? [])
      if (values.length === 0) return []
      return [
        [`rewards/${part}/mean`, mean(values)],
        [`rewards/${part}/std`, std(values)]
      ]
    })
  )
