/** A sweep as its charts and statistics take it. */
import type { SweepRecord } from "@gradus/analytics/sweep/SweepRecord"
import type { SweepCellState, SweepView } from "@gradus/domain/SweepIndex"

const unique = <A>(values: ReadonlyArray<A>): ReadonlyArray<A> => [...new Set(values)]

/** Lists the arms in the order of the plan. */
export const armsOf = ({ cells }: SweepView): ReadonlyArray<string> => unique(cells.map(({ arm }) => arm))

/** Lists the seeds, the smallest first. */
export const seedsOf = ({ cells }: SweepView): ReadonlyArray<number> =>
  unique(cells.map(({ seed }) => seed)).toSorted((a, b) => a - b)

/** Lists the evaluation sets that finished cells have read; that of the sweep's metric is always one. */
export const setsOf = ({ cells, metric }: SweepView): ReadonlyArray<string> =>
  unique([metric.set, ...cells.flatMap(({ result }) => (result?.curve ?? []).map(({ set }) => set))])

const count = ({ cells }: SweepView, wanted: SweepCellState): number =>
  cells.filter(({ state }) => state === wanted).length

/** Whether something may still come of itself. */
export const goesOn = ({ cells }: SweepView): boolean =>
  cells.some(({ state }) => state !== "finished" && state !== "stopped" && state !== "failed")

/** Makes the record of the comparison on a set. */
export const recordOf = (view: SweepView, set: string): SweepRecord => ({
  name: view.sweep,
  description: view.description ?? undefined,
  digest: view.digest,
  arms: armsOf(view),
  baseline: view.baseline,
  metric: { set, target: set === view.metric.set ? (view.metric.target ?? undefined) : undefined },
  batchers: view.batchers,
  resamples: view.resamples,
  planned: view.cells.length,
  failed: count(view, "failed"),
  stopped: count(view, "stopped"),
  cells: view.cells.flatMap(({ arm, result }) => (result === null ? [] : [{ arm, result }]))
})
