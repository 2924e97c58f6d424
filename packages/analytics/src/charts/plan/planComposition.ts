/** Chart: what each batch is made of, as a map of batches and pass rates, with the centre of the target over it. */
import type { PlanDrawRow } from "@gradus/domain/PlanReport"
import { chartSpec, HEIGHT, WIDTH } from "../../ChartStyle.ts"
import { ink } from "../../Palette.ts"
import type { PlanChart } from "../../PlanChart.ts"
import { planDrawsTable, rowsOf } from "../../Tables.ts"
import { planWindows, windowOf } from "../../verbs/planWindows.ts"

interface Cell {
  readonly from: number
  readonly to: number
  readonly rate: number
  readonly share: number
}

export const planComposition: PlanChart = {
  name: "plan-composition",
  title: "What the batches are made of",
  caption:
    "Share (%) of each batch at each pass rate (%), strong where most of it is; the line is the centre of the target: the strong band should follow it.",
  spec: ([report]) => {
    if (report === undefined || report.draws.length === 0) return null
    const window = windowOf(report.batches.length)
    const cells = rowsOf<Cell>(planWindows(window)(planDrawsTable(report.draws)))
    const half = halfStep(report.draws)
    const values = cells.map(({ from, rate, share, to }) => ({
      from: from - 0.5,
      to: to + 0.5,
      low: rate - half,
      high: rate + half,
      share
    }))
    const centres = report.batches
      .filter((row, i) => row.target_mean !== null && i % window === 0)
      .map(({ batch, target_mean }) => ({ step: batch, value: target_mean }))
    return chartSpec({
      title: "share of a batch, by pass rate",
      width: WIDTH,
      height: HEIGHT,
      layer: [
        { data: { values }, mark: { type: "rect", strokeWidth: 0 }, encoding: cellEncoding },
        ...(centres.length === 0 ? [] : [{ data: { values: centres }, mark: line, encoding: lineEncoding }])
      ]
    })
  }
}

/** Half of the least difference between two pass rates: how tall a cell is drawn. */
const halfStep = (draws: ReadonlyArray<PlanDrawRow>): number => {
  const rates = [...new Set(draws.map(({ rate }) => rate))].toSorted((a, b) => a - b)
  const gaps = rates.slice(1).map((rate, i) => rate - (rates[i] ?? 0))
  return gaps.length === 0 ? 0.05 : Math.max(0.004, Math.min(...gaps) / 2)
}

const line = { type: "line", strokeWidth: 1.5, strokeDash: [5, 3], color: ink.orange }
const scale = { nice: false, zero: false }
const cellEncoding = {
  x: {
    field: "from",
    type: "quantitative",
    scale,
    axis: { title: "batch", format: "d", tickMinStep: 1, tickCount: 8 }
  },
  x2: { field: "to" },
  y: { field: "low", type: "quantitative", scale, axis: { format: ".0%" } },
  y2: { field: "high" },
  color: { value: ink.blue },
  // by opacity, so that an empty cell is the page in every theme
  opacity: {
    field: "share",
    type: "quantitative",
    scale: { type: "sqrt", domain: [0, 1], range: [0, 1] },
    legend: { format: ".0%", symbolType: "square", values: [0.1, 0.25, 0.5, 1] }
  }
}
const lineEncoding = {
  x: { field: "step", type: "quantitative" },
  y: { field: "value", type: "quantitative" }
}
