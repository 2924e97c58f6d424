/** Whether a pass-rate column that was brought along agrees with our own profile of a sample of its questions. */
import type { Profiled } from "./Filter.ts"
import { decisionOf, type FilterRule } from "./Filter.ts"

export interface Agreement {
  /** Questions that both have, with a score in both. */
  readonly compared: number
  readonly column_mean: number | null
  readonly own_mean: number | null
  /** Mean of column minus own, and its standard error over questions. */
  readonly difference: number | null
  readonly standard_error: number | null
  /** Pearson's correlation; null where one side does not vary. */
  readonly correlation: number | null
  /** Share of questions whose two rates differ by more than sampling explains (two-proportion z beyond 2.58, expected .01). */
  readonly beyond_noise: number | null
  /** Share of questions that the filter would decide otherwise by our profile. */
  readonly decided_otherwise: number | null
  /** In words. */
  readonly verdict: string
}

interface Pair {
  readonly column: Profiled
  readonly own: Profiled
}

const rate = ({ passed, scored }: Profiled): number => passed / scored
const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

const correlationOf = (x: ReadonlyArray<number>, y: ReadonlyArray<number>): number | null => {
  const [mx, my] = [mean(x), mean(y)]
  const spread = (of: ReadonlyArray<number>, m: number): number => of.reduce((sum, value) => sum + (value - m) ** 2, 0)
  const scale = Math.sqrt(spread(x, mx) * spread(y, my))
  return scale === 0 ? null : x.reduce((sum, value, i) => sum + (value - mx) * ((y[i] ?? 0) - my), 0) / scale
}

/** Tells whether two measured rates differ by more than sampling explains; pooled with one pass and one failure added, so that 0 and 1 have a width. */
const beyond = ({ column, own }: Pair): boolean => {
  const pooled = (column.passed + own.passed + 1) / (column.scored + own.scored + 2)
  const width = Math.sqrt(pooled * (1 - pooled) * (1 / column.scored + 1 / own.scored))
  return Math.abs(rate(column) - rate(own)) > 2.58 * width
}

const number = (value: number): string => value.toFixed(2)

const verdictOf = (pairs: number, figures: Omit<Agreement, "verdict">): string => {
  const { beyond_noise, column_mean, correlation, difference, own_mean, standard_error } = figures
  if (pairs === 0) return "no question of the sample is in the column with a score: check the ids"
  const means = `the column's mean is ${number(column_mean ?? 0)}, this model's ${number(own_mean ?? 0)} on ${pairs} questions`
  if (correlation !== null && correlation < -0.3) {
    return `${means}, and they run against each other (correlation ${number(correlation)}): is the kind of the column right?`
  }
  const apart = Math.abs(difference ?? 0) > Math.max(0.05, 2 * (standard_error ?? 0))
  if (apart || (beyond_noise ?? 0) > 0.1) {
    return `${means}; ${Math.round((beyond_noise ?? 0) * 100)} % differ by more than sampling explains: profile with this model`
  }
  return `${means}: they agree within sampling noise`
}

/** Compares a column with a profile, question by question. Order and extra questions on either side do not matter. */
export const agreement = (
  column: ReadonlyArray<Profiled>,
  own: ReadonlyArray<Profiled>,
  rule: FilterRule = { drop_at: 0.75 }
): Agreement => {
  const known = new Map(column.map((row) => [row.question_id, row]))
  const pairs = own.flatMap((row): Array<Pair> => {
    const other = known.get(row.question_id)
    return other === undefined || other.scored === 0 || row.scored === 0 ? [] : [{ column: other, own: row }]
  })
  const n = pairs.length
  const x = pairs.map((pair) => rate(pair.column))
  const y = pairs.map((pair) => rate(pair.own))
  const differences = x.map((value, i) => value - (y[i] ?? 0))
  const difference = n === 0 ? null : mean(differences)
  const variance = differences.reduce((sum, value) => sum + (value - (difference ?? 0)) ** 2, 0) / Math.max(1, n - 1)
  const decide = decisionOf(rule)
  const share = (of: (pair: Pair) => boolean): number | null => (n === 0 ? null : pairs.filter(of).length / n)
  const figures = {
    compared: n,
    column_mean: n === 0 ? null : mean(x),
    own_mean: n === 0 ? null : mean(y),
    difference,
    standard_error: n < 2 ? null : Math.sqrt(variance / n),
    correlation: n < 2 ? null : correlationOf(x, y),
    beyond_noise: share(beyond),
    decided_otherwise: share(
      (pair) => decide(pair.column.passed, pair.column.scored) !== decide(pair.own.passed, pair.own.scored)
    )
  }
  return { ...figures, verdict: verdictOf(n, figures) }
}
