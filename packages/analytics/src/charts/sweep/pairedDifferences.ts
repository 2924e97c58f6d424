/** Chart: each arm's paired difference to the baseline, with its interval and the seeds behind it. */
import { chartSpec, WIDTH } from "../../ChartStyle.ts"
import { ink } from "../../Palette.ts"
import type { PairedDifference } from "../../statistics/pairedDifference.ts"
import type { SweepChart } from "../../sweep/SweepChart.ts"

const TOKENS = "at equal tokens"
const UPDATES = "at equal updates"
const ROW = 22

interface Row {
  readonly arm: string
  readonly at: string
  readonly mean: number
  readonly low: number | null
  readonly high: number | null
}

const rowOf = (arm: string, at: string, { interval, mean }: PairedDifference): ReadonlyArray<Row> =>
  mean === null ? [] : [{ arm, at, mean, low: interval?.low ?? null, high: interval?.high ?? null }]

export const pairedDifferences: SweepChart = {
  name: "sweep-differences",
  title: "Paired differences",
  caption:
    "Accuracy of each arm minus that of the baseline with the same seed, mean over seeds with a 95 % bootstrap interval, in points of accuracy; small marks are single seeds at equal tokens. An interval that holds zero shows no difference.",
  spec: (_, { differences }) => {
    const rows = differences.flatMap(({ arm, equalTokens, equalUpdates }) => [
      ...rowOf(arm, TOKENS, equalTokens),
      ...rowOf(arm, UPDATES, equalUpdates)
    ])
    if (rows.length === 0) return null
    const seeds = differences.flatMap(({ arm, bySeed }) =>
      bySeed.map(({ difference, seed }) => ({ arm, at: TOKENS, seed, mean: difference }))
    )
    const arms = differences.map(({ arm }) => arm)
    const x = {
      field: "mean",
      type: "quantitative",
      axis: { format: "+~%", title: "difference in accuracy", grid: true }
    }
    const y = {
      field: "arm",
      type: "nominal",
      scale: { domain: arms },
      axis: { title: null, labelLimit: 160, ticks: false, domain: false, minExtent: 60 }
    }
    const yOffset = { field: "at", type: "nominal", scale: { domain: [TOKENS, UPDATES] } }
    const color = { field: "at", type: "nominal", scale: { domain: [TOKENS, UPDATES], range: [ink.blue, ink.orange] } }
    return chartSpec({
      width: WIDTH,
      height: { step: ROW },
      layer: [
        {
          data: { values: [{ zero: 0 }] },
          mark: { type: "rule", color: ink.axis, strokeWidth: 1.5 },
          encoding: { x: { field: "zero", type: "quantitative" } }
        },
        {
          data: { values: seeds },
          mark: { type: "point", filled: true, size: 14, opacity: 0.45 },
          encoding: { x, y, yOffset, color }
        },
        {
          data: { values: rows.filter(({ low }) => low !== null) },
          mark: { type: "rule", strokeWidth: 2.5 },
          encoding: { x: { ...x, field: "low" }, x2: { field: "high" }, y, yOffset, color }
        },
        {
          data: { values: rows },
          mark: { type: "point", filled: true, size: 80, opacity: 1, stroke: ink.surface, strokeWidth: 1 },
          encoding: {
            x,
            y,
            yOffset,
            color,
            shape: { field: "at", type: "nominal", scale: { domain: [TOKENS, UPDATES], range: ["circle", "square"] } }
          }
        }
      ]
    })
  }
}
