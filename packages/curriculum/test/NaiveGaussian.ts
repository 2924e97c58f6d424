/**
 * The paper's batching written straight from the pseudo-code of reference/paper.md, one question object at a time, to compare
 * the real one with. It says how many questions of each rate a batch has; which ones is the seed's business.
 */
import type { RatedQuestion } from "@gradus/domain/Profile"

export interface NaiveBatch {
  readonly mu: number
  readonly fill: number
  /** Questions by pass rate. */
  readonly counts: Readonly<Record<string, number>>
}

interface Level {
  readonly rate: number
  questions: Array<RatedQuestion>
  q: number
  take: number
}

const close = (a: number, b: number): boolean => Math.abs(a - b) < 1e-9

export const naiveGaussian = (
  pool: ReadonlyArray<RatedQuestion>,
  B: number,
  sigma: number,
  steps?: number
): ReadonlyArray<NaiveBatch> => {
  const levels: Array<Level> = []
  for (const question of pool) {
    const rate = question.passed / question.scored
    const level = levels.find((candidate) => candidate.rate === rate)
    if (level) level.questions.push(question)
    else levels.push({ rate, questions: [question], q: 0, take: 0 })
  }
  const start = Math.max(...levels.map((level) => level.rate))
  const end = Math.min(...levels.map((level) => level.rate))
  const T = Math.min(Math.ceil(pool.length / B), steps ?? Infinity)
  const batches: Array<NaiveBatch> = []
  for (let t = 0; t < T; t++) {
    const mu = T === 1 ? start : start + ((end - start) * t) / (T - 1)
    const before = (a: Level, b: Level): boolean => {
      const [da, db] = [Math.abs(a.rate - mu), Math.abs(b.rate - mu)]
      return close(da, db) ? a.rate < b.rate : da < db
    }
    const nearest = Math.min(...levels.map((level) => (level.rate - mu) ** 2))
    for (const level of levels) level.q = Math.exp((nearest - (level.rate - mu) ** 2) / (2 * sigma * sigma))
    const total = levels.reduce((sum, level) => sum + level.q, 0)
    for (const level of levels) {
      level.q = (B * level.q) / total
      level.take = Math.floor(level.q + 1e-9)
    }
    const rounded = new Set<Level>()
    while (levels.reduce((sum, level) => sum + level.take, 0) < B) {
      const rest = levels.filter((level) => !rounded.has(level))
      const best = rest.reduce((a, b) => {
        const [ra, rb] = [a.q - a.take, b.q - b.take]
        return close(ra, rb) ? (before(b, a) ? b : a) : rb > ra ? b : a
      })
      best.take++
      rounded.add(best)
    }
    const counts: Record<string, number> = {}
    const takeOne = (level: Level): void => {
      level.questions = level.questions.slice(1)
      counts[level.rate] = (counts[level.rate] ?? 0) + 1
    }
    let drawn = 0
    for (const level of levels) {
      for (; level.take > 0 && level.questions.length > 0; level.take--, drawn++) takeOne(level)
    }
    let fill = 0
    while (drawn < B && levels.some((level) => level.questions.length > 0)) {
      const largest = levels.reduce((a, b) => {
        if (a.questions.length !== b.questions.length) return a.questions.length > b.questions.length ? a : b
        return before(b, a) ? b : a
      })
      takeOne(largest)
      drawn++
      fill++
    }
    batches.push({ mu, fill, counts })
  }
  return batches
}
