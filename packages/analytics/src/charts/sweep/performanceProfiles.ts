/** Chart: the share of an arm's runs that end above each accuracy. */
import { chartSpec, HEIGHT, WIDTH } from "../../ChartStyle.ts"
import { seriesColours } from "../../Palette.ts"
import { performanceProfile } from "../../statistics/performanceProfile.ts"
import type { SweepChart } from "../../sweep/SweepChart.ts"
import { cellsOf, finalOf } from "../../sweep/SweepRecord.ts"

const POINTS = 101
const DASHES = [
  [1, 0],
  [6, 3],
  [2, 2]
]

export const performanceProfiles: SweepChart = {
  name: "sweep-profiles",
  title: "Performance profiles",
  caption:
    "Share of an arm's runs (%) whose last accuracy is above the one on the axis: a curve that lies above another everywhere is better whatever the seed, curves that cross are not ordered by one number.",
  spec: (record) => {
    const scores = record.arms.map((arm) => ({
      arm,
      finals: cellsOf(record, arm).flatMap((cell) => finalOf(cell, record.metric.set) ?? [])
    }))
    const all = scores.flatMap(({ finals }) => finals)
    if (all.length === 0) return null
    const low = Math.max(0, Math.min(...all) - 0.02)
    const high = Math.min(1, Math.max(...all) + 0.02)
    const thresholds = Array.from({ length: POINTS }, (_, i) => low + ((high - low) * i) / (POINTS - 1))
    const values = scores.flatMap(({ arm, finals }) =>
      (performanceProfile(finals, thresholds) ?? []).map((share, i) => ({ arm, accuracy: thresholds[i], share }))
    )
    const arms = scores.filter(({ finals }) => finals.length > 0).map(({ arm }) => arm)
    const series = (range: ReadonlyArray<unknown>) => ({
      field: "arm",
      type: "nominal",
      scale: { domain: arms, range },
      legend: { symbolType: "stroke", symbolSize: 300, columns: 3 }
    })
    return chartSpec({
      title: "share of runs above",
      width: WIDTH,
      height: HEIGHT,
      data: { values },
      mark: { type: "line", strokeWidth: 2, interpolate: "step-after" },
      encoding: {
        x: {
          field: "accuracy",
          type: "quantitative",
          scale: { domain: [low, high], nice: false },
          axis: { format: ".0%", title: `accuracy of ${record.metric.set}`, tickCount: 6 }
        },
        y: { field: "share", type: "quantitative", scale: { domain: [0, 1] }, axis: { format: ".0%" } },
        color: series(arms.map((_, i) => seriesColours[i % seriesColours.length])),
        strokeDash: series(arms.map((_, i) => DASHES[Math.floor(i / seriesColours.length) % DASHES.length]))
      }
    })
  }
}
