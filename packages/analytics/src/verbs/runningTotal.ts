/** Verb: adds a metric up over the steps. */
import { type ColumnTable, escape, op, rolling } from "arquero"

/** Replaces `value` in the output of `metricSeries` by its sum up to the step, a metric by itself; where a value is null nothing is added. */
export const runningTotal = (source: ColumnTable): ColumnTable =>
  source
    .derive({ added: escape((row: Row) => row.value ?? 0) })
    .groupby("metric")
    .orderby("step")
    .derive({ value: rolling(({ added }: { readonly added: number }) => op.sum(added)) })
    .ungroup()
    .select("stage", "step", "metric", "value")
    .reify()

interface Row {
  readonly value: number | null
}
