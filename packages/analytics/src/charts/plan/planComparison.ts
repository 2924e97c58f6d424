/** Chart: several curricula on one pool: the mean pass rate of their batches, and their fill. */
import { lineChart } from "../../LinePanel.ts"
import { seriesColours } from "../../Palette.ts"
import type { PlanChart } from "../../PlanChart.ts"

const dashes = [
  [1, 0],
  [6, 3],
  [2, 2],
  [8, 3, 2, 3],
  [4, 4],
  [1, 3]
]

export const planComparison: PlanChart = {
  name: "plan-comparison",
  title: "Curricula on one pool",
  caption:
    "Above, the mean pass rate (%) of each batch by curriculum: easy to hard falls, a random order stays level; below, the share (%) of fill, where a curriculum has a target.",
  spec: (reports) => {
    if (reports.length < 2) return null
    const series = reports.map(({ name }, i) => ({
      label: name,
      colour: seriesColours[i % seriesColours.length] ?? "",
      dash: dashes[i % dashes.length] ?? [1, 0]
    }))
    const means = reports.flatMap(({ batches, name }) =>
      batches.map(({ achieved_mean, batch }) => ({ step: batch, value: achieved_mean, series: name }))
    )
    const fill = reports
      .filter(({ batches }) => batches.some((row) => row.target_mean !== null))
      .flatMap(({ batches, name }) =>
        batches.map(({ batch, fill_share }) => ({ step: batch, value: fill_share, series: name }))
      )
    return lineChart(
      [
        { title: "mean pass rate of a batch", points: means, series, format: ".0%", domain: [0, 1] },
        { title: "share of fill", points: fill, series, format: ".0%", domain: [0, 1] }
      ],
      "batch"
    )
  }
}
