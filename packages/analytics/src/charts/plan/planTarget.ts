/** Chart: the pass rate that a plan aims at and the one it gets, and how much of each batch is fill. */
import { lineChart } from "../../LinePanel.ts"
import { ink } from "../../Palette.ts"
import type { PlanChart } from "../../PlanChart.ts"

const TARGET = "target"
const DRAWN = "drawn"
const FILL = "fill"

export const planTarget: PlanChart = {
  name: "plan-target",
  title: "Target, drawn and fill",
  caption:
    "Above, the mean pass rate (%) that each batch aims at and the one it draws, below the share (%) of the batch that the target did not ask for: where fill rises the levels that are asked for are used up.",
  spec: ([report]) => {
    const rows = report?.batches ?? []
    const means = rows.flatMap(({ achieved_mean, batch, target_mean }) => [
      ...(target_mean === null ? [] : [{ step: batch, value: target_mean, series: TARGET }]),
      { step: batch, value: achieved_mean, series: DRAWN }
    ])
    const fill = rows.some((row) => row.target_mean !== null)
      ? rows.map(({ batch, fill_share }) => ({ step: batch, value: fill_share, series: FILL }))
      : []
    return lineChart(
      [
        {
          title: "mean pass rate of a batch",
          points: means,
          series: [
            { label: TARGET, colour: ink.grey, dash: [5, 3] },
            { label: DRAWN, colour: ink.blue }
          ],
          format: ".0%",
          domain: [0, 1]
        },
        {
          title: "share of fill",
          points: fill,
          series: [{ label: FILL, colour: ink.orange }],
          format: ".0%",
          domain: [0, 1]
        }
      ],
      "batch"
    )
  }
}
