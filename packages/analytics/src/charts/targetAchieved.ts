/** Chart: the pass rate that the plan aims at, the one it gets, and the one that training then measured, by batch. */
import type { Chart } from "../Chart.ts"
import { lineChart, type Point } from "../LinePanel.ts"
import { metricPoints } from "../MetricPanel.ts"
import { ink } from "../Palette.ts"

const TARGET = "target"
const ACHIEVED = "drawn"
const MEASURED = "measured"

export const targetAchieved: Chart = {
  name: "target-achieved",
  title: "Target and achieved pass rate",
  caption:
    "Mean pass rate (%) of each batch: drawn should follow the falling target until pools run dry; where the rate measured in training lies above the profile's rate of what was drawn, the policy has outgrown its profile.",
  spec: (record) => {
    const planned: ReadonlyArray<Point> = record.plan.flatMap(({ achievedMean, batch, targetMean }) => [
      ...(targetMean === null ? [] : [{ step: batch, value: targetMean, series: TARGET }]),
      { step: batch, value: achievedMean, series: ACHIEVED }
    ])
    const measured = metricPoints(record, "train", [{ metric: "group_pass_rate", label: MEASURED }])
    const panel = {
      title: "mean pass rate of a batch",
      points: [...planned, ...measured],
      series: [
        { label: TARGET, colour: ink.grey, dash: [5, 3] },
        { label: ACHIEVED, colour: ink.blue },
        { label: MEASURED, colour: ink.orange, dash: [2, 2] }
      ],
      format: ".0%",
      domain: [0, 1] as const
    }
    return lineChart([panel], "batch")
  }
}
