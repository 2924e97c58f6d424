/** Chart: what the judge cost, and what was asked for nothing. */
import type { RunRecord } from "@gradus/domain/RunRecord"
import type { Chart } from "../Chart.ts"
import { lineChart, type LinePanel } from "../LinePanel.ts"
import { metricPanel } from "../MetricPanel.ts"
import { ink } from "../Palette.ts"
import { metricsTable, rowsOf } from "../Tables.ts"
import { metricSeries } from "../verbs/metricSeries.ts"
import { runningTotal } from "../verbs/runningTotal.ts"

const SPENT = "cost"

const spent = (record: RunRecord): LinePanel => ({
  title: "cost so far (currency of the price table)",
  points: rowsOf<{ readonly step: number; readonly value: number }>(
    runningTotal(metricSeries("train", ["judge/cost"])(metricsTable(record)))
  ).map(({ step, value }) => ({ step, value, series: SPENT })),
  series: [{ label: SPENT, colour: ink.blue }],
  format: "~g"
})

export const judgeCost: Chart = {
  name: "judge-cost",
  title: "Judge cost",
  caption:
    "The judge's price up to each step, its tokens a step, and the verdicts that are none: unreadable or failed completions stay unscored, guarded ones are no without a call.",
  spec: (record) =>
    lineChart(
      [
        spent(record),
        metricPanel(record, "train", {
          title: "tokens of a step",
          lines: [
            { metric: "judge/prompt_tokens", label: "prompts", colour: ink.blue },
            { metric: "judge/completion_tokens", label: "replies", colour: ink.orange, dash: [4, 2] }
          ],
          format: "~s"
        }),
        metricPanel(record, "train", {
          title: "verdicts of a step that are no judgement",
          lines: [
            { metric: "judge/unreadable", label: "unreadable", colour: ink.rose },
            { metric: "judge/failed", label: "failed", colour: ink.purple, dash: [6, 2] },
            { metric: "judge/guarded", label: "guarded", colour: ink.grey, dash: [2, 2] }
          ],
          format: "d"
        })
      ],
      "step"
    )
}
