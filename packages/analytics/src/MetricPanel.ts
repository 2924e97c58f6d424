/** A panel of lines whose points are metrics of a stage. */
import type { RunRecord } from "@gradus/domain/RunRecord"
import type { LinePanel, Point, Series } from "./LinePanel.ts"
import { metricsTable, rowsOf } from "./Tables.ts"
import { metricSeries } from "./verbs/metricSeries.ts"

/** A series drawn from a metric. */
export interface MetricLine extends Series {
  /** The metric's name in metrics.ndjson. Vega-lite reads dots and brackets in field names as paths: the name is never a field here. */
  readonly metric: string
}

/** Reads the points of some metrics of a stage, under their labels. */
export const metricPoints = (
  record: Pick<RunRecord, "metrics">,
  stage: string,
  lines: ReadonlyArray<Pick<MetricLine, "metric" | "label">>
): ReadonlyArray<Point> => {
  const labels = new Map(lines.map(({ label, metric }) => [metric, label]))
  const series = metricSeries(stage, [...labels.keys()])(metricsTable(record))
  return rowsOf<{ metric: string; step: number; value: number | null }>(series).map(({ metric, step, value }) => ({
    step,
    value,
    series: labels.get(metric) ?? metric
  }))
}

/** Makes a panel of a stage's metrics. */
export const metricPanel = (
  record: Pick<RunRecord, "metrics">,
  stage: string,
  panel: Omit<LinePanel, "points" | "series"> & { readonly lines: ReadonlyArray<MetricLine> }
): LinePanel => {
  const { lines, ...rest } = panel
  return { ...rest, points: metricPoints(record, stage, lines), series: lines }
}
