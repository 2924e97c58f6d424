/** Verb: picks some metrics of one stage out of the long table of metrics. */
import { type ColumnTable, escape } from "arquero"

/**
 * Keeps the rows of `stage` whose metric is one of `metrics`, in order of step. A metric that never has a value is left out;
 * single nulls stay, so that a line breaks where nothing was defined.
 */
export const metricSeries =
  (stage: string, metrics: ReadonlyArray<string>) =>
  (source: ColumnTable): ColumnTable => {
    const wanted = source.filter(escape((row: Row) => row.stage === stage && metrics.includes(row.metric)))
    const present = new Set(wanted.filter(escape((row: Row) => row.value !== null)).array("metric") as Iterable<string>)
    return wanted.filter(escape((row: Row) => present.has(row.metric))).orderby("step")
  }

interface Row {
  readonly stage: string
  readonly metric: string
  readonly value: number | null
}
