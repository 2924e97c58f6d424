/** Several curricula on one pool, in figures that can be set side by side. */
import type { PlanReport, PlanSummary } from "@gradus/domain/PlanReport"
import { groupSilence } from "./Silence.ts"

const mean = (values: ReadonlyArray<number>): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length

/** Ranks values from 1, equal ones by the mean of their places. */
const ranks = (values: ReadonlyArray<number>): ReadonlyArray<number> => {
  const order = values.map((_, i) => i).toSorted((a, b) => (values[a] ?? 0) - (values[b] ?? 0))
  const out: Array<number> = Array.from(values, () => 0)
  for (let from = 0; from < order.length;) {
    let to = from
    while (to < order.length && values[order[to] ?? 0] === values[order[from] ?? 0]) to++
    for (let i = from; i < to; i++) out[order[i] ?? 0] = (from + to + 1) / 2
    from = to
  }
  return out
}

/** Computes Spearman's correlation of a series with its own index; null where one of them does not vary. */
export const orderOf = (values: ReadonlyArray<number>): number | null => {
  const own = ranks(values)
  const middle = (values.length + 1) / 2
  const spread = (of: ReadonlyArray<number>): number => of.reduce((sum, rank) => sum + (rank - middle) ** 2, 0)
  const index = values.map((_, i) => i + 1)
  const both = own.reduce((sum, rank, i) => sum + (rank - middle) * (i + 1 - middle), 0)
  const scale = Math.sqrt(spread(own) * spread(index))
  return scale === 0 ? null : both / scale
}

/** Sums a plan's report up. `samplesPerPrompt` is G of the expected share of silent groups. */
export const summarise = ({ batches, draws, name }: PlanReport, samplesPerPrompt: number): PlanSummary => {
  const questions = batches.reduce((sum, row) => sum + row.questions, 0)
  const silent = draws.reduce((sum, row) => sum + row.drawn * groupSilence(row.rate, samplesPerPrompt), 0)
  return {
    name,
    batches: batches.length,
    questions,
    first_mean: batches[0]?.achieved_mean ?? null,
    last_mean: batches.at(-1)?.achieved_mean ?? null,
    fill_share: mean(batches.map((row) => row.fill_share)) ?? 0,
    distance: mean(batches.flatMap((row) => (row.distance === null ? [] : [row.distance]))),
    mostly_fill_from: batches.find((row) => row.fill_share > 0.5)?.batch ?? null,
    order: orderOf(batches.map((row) => row.achieved_mean)),
    silent_share: questions === 0 ? null : silent / questions
  }
}
