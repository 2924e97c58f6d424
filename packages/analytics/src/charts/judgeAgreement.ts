/** Chart: whether the judge still says what people said, and what a rule says of the same completions. */
import type { Chart } from "../Chart.ts"
import { lineChart, type LinePanel, type Point } from "../LinePanel.ts"
import { metricPanel, metricPoints } from "../MetricPanel.ts"
import { ink } from "../Palette.ts"
import { metricsTable, rowsOf } from "../Tables.ts"
import { shareOfMetric } from "../verbs/shareOfMetric.ts"
import type { RunRecord } from "@gradus/domain/RunRecord"

const JUDGE = "judge says yes"
const RULE = "a rule says right"

/** The judge's yes beside the share that a rule calls right in a sample of the same steps. */
const audit = (record: RunRecord): LinePanel => {
  const rule = rowsOf<{ readonly step: number; readonly value: number | null }>(
    shareOfMetric("train", "judge/audit/right", "judge/audit/graded")(metricsTable(record))
  ).map((row): Point => ({ ...row, series: RULE }))
  return {
    title: "share of completions",
    points: [
      ...metricPoints(record, "train", [{ metric: "judge/mean", label: JUDGE }]),
      ...(rule.some(({ value }) => value !== null) ? rule : [])
    ],
    series: [
      { label: JUDGE, colour: ink.blue },
      { label: RULE, colour: ink.orange, dash: [4, 2] }
    ],
    format: ".0%",
    domain: [0, 1]
  }
}

export const judgeAgreement: Chart = {
  name: "judge-agreement",
  title: "Judge agreement",
  caption:
    "Agreement with the labelled answers, the wrong ones among them that it accepts and the right ones that it refuses, and how many it answers otherwise than at first; below, its yes against a sample that a rule grades: where the judge rises alone, the policy has found what it likes.",
  spec: (record) =>
    lineChart(
      [
        metricPanel(record, "train", {
          title: "agreement with labels (share)",
          lines: [{ metric: "judge/calibration/agreement", label: "agreement", colour: ink.blue }],
          format: "~%"
        }),
        metricPanel(record, "train", {
          title: "errors and drift on the labels (share)",
          lines: [
            { metric: "judge/calibration/false_accepts", label: "false accepts", colour: ink.rose },
            { metric: "judge/calibration/false_rejects", label: "false rejects", colour: ink.purple, dash: [6, 2] },
            { metric: "judge/calibration/drift", label: "drift", colour: ink.grey, dash: [2, 2] }
          ],
          format: "~%"
        }),
        audit(record)
      ],
      "step"
    )
}
