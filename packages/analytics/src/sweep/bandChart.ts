/** Small panels, one an arm, of its mean curve with a band over seeds, the baseline in grey behind it. */
import { chartSpec } from "../ChartStyle.ts"
import { ink } from "../Palette.ts"
import { type BandPoint, curveBands } from "./curveBands.ts"
import type { Spent, SweepRecord } from "./SweepRecord.ts"

const PANEL = { width: 150, height: 112 }
const COLUMNS = 3

const layersOf = (points: ReadonlyArray<BandPoint>, colour: string, strokeWidth: number) => {
  const bounded = points.filter(({ low }) => low !== null)
  const band = {
    data: { values: bounded },
    mark: { type: "area", color: colour, opacity: 0.22, line: false },
    encoding: { y: { field: "low", type: "quantitative" }, y2: { field: "high" } }
  }
  const line = {
    data: { values: points },
    mark: { type: "line", color: colour, strokeWidth },
    encoding: { y: { field: "mean", type: "quantitative" } }
  }
  return bounded.length === 0 ? [line] : [band, line]
}

/** Draws the panels; null without a curve. */
export const bandChart = (record: SweepRecord, spent: Spent, title: string, format: string) => {
  const points = curveBands(record, spent)
  if (points.length === 0) return null
  const values = points.flatMap(({ high, low, mean }) => [mean, low ?? mean, high ?? mean])
  const last = Math.max(...points.map((point) => point.spent))
  const low = Math.floor(Math.min(...values) * 10) / 10
  const high = Math.ceil(Math.max(...values) * 10) / 10
  const y = {
    scale: { domain: [low, high === low ? low + 0.1 : high] },
    axis: { format: ".0%", tickCount: 3, title: null }
  }
  const baseline = points.filter(({ arm }) => arm === record.baseline)
  const arms = record.arms.filter((arm) => points.some((point) => point.arm === arm))
  const panels = arms.map((arm, index) => ({
    ...PANEL,
    title: arm === record.baseline ? `${arm} (baseline)` : arm,
    encoding: {
      x: {
        field: "spent",
        type: "quantitative",
        scale: { domain: [0, last], nice: false },
        axis: { title: index >= arms.length - COLUMNS ? title : null, format, tickCount: 3 }
      }
    },
    layer: [
      ...(arm === record.baseline ? [] : layersOf(baseline, ink.grey, 1.5)),
      ...layersOf(
        points.filter((point) => point.arm === arm),
        ink.blue,
        2.2
      )
    ].map((layer) => ({ ...layer, encoding: { ...layer.encoding, y: { ...layer.encoding.y, ...y } } }))
  }))
  return chartSpec({ columns: COLUMNS, concat: panels, spacing: 18 })
}
