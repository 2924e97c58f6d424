/** Chart: accuracy of the evaluation sets and the training reward by step. */
import type { Chart } from "../Chart.ts"
import { chartSpec, HEIGHT, stepAxis, WIDTH } from "../ChartStyle.ts"
import { metricPoints } from "../MetricPanel.ts"
import { ink, seriesColours } from "../Palette.ts"
import { evaluationTable, rowsOf } from "../Tables.ts"
import { withWilson } from "../verbs/withWilson.ts"

const REWARD = "training reward"
const SHAPES = ["circle", "square", "diamond", "triangle-up", "triangle-down", "cross"]

interface Row {
  readonly step: number
  readonly series: string
  readonly value: number | null
  readonly low: number | null
  readonly high: number | null
}

interface Reading {
  readonly set: string
  readonly step: number
  readonly accuracy: number | null
  readonly low: number | null
  readonly high: number | null
}

export const learningCurve: Chart = {
  name: "learning-curve",
  title: "Learning curve",
  caption:
    "Share of sampled answers that are right, by GRPO step: held-out sets should rise with the training reward (mean of a step's own batch); bars are 95 % Wilson intervals of the samples, step 0 is before GRPO.",
  spec: (record) => {
    const readings = rowsOf<Reading>(withWilson(evaluationTable(record)))
    const sets = [...new Set(readings.map(({ set }) => set))]
    const reward = metricPoints(record, "train", [{ metric: "reward", label: REWARD }])
    const rows: ReadonlyArray<Row> = [
      ...readings.map(({ accuracy, high, low, set, step }) => ({ step, series: set, value: accuracy, low, high })),
      ...reward.map((point) => ({ ...point, low: null, high: null }))
    ]
    if (rows.every(({ value }) => value === null)) return null
    const series = reward.length > 0 ? [...sets, REWARD] : sets
    return chartSpec({
      title: "accuracy and reward (share of 1)",
      width: WIDTH,
      height: HEIGHT,
      data: { values: rows },
      encoding: { x: stepAxis("step"), color: colour(series) },
      layer: [
        { mark: { type: "rule", strokeWidth: 1.5, opacity: 0.55 }, transform: bounded, encoding: interval },
        { mark: { type: "line" }, encoding: { y: share, strokeWidth } },
        { mark: { type: "point", filled: true, opacity: 1 }, encoding: { y: share, shape: shape(series), size } }
      ]
    })
  }
}

const bounded = [{ filter: "datum.low !== null" }]
const share = {
  field: "value",
  type: "quantitative",
  scale: { domain: [0, 1] },
  axis: { format: ".0%", title: null }
}
const interval = { y: { field: "low", type: "quantitative", scale: { domain: [0, 1] } }, y2: { field: "high" } }
const strokeWidth = { condition: { test: `datum.series === '${REWARD}'`, value: 1.2 }, value: 2.4 }
const size = { condition: { test: `datum.series === '${REWARD}'`, value: 10 }, value: 46 }

const colour = (series: ReadonlyArray<string>) => ({
  field: "series",
  type: "nominal",
  scale: {
    domain: series,
    range: series.map((name, index) => (name === REWARD ? ink.grey : seriesColours[index % 5]))
  }
})
const shape = (series: ReadonlyArray<string>) => ({
  field: "series",
  type: "nominal",
  scale: { domain: series, range: series.map((_, index) => SHAPES[index % SHAPES.length]) }
})
