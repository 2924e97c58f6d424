/** Chart: how long completions are and how many are cut at the token limit. */
import type { Chart } from "../Chart.ts"
import { lineChart } from "../LinePanel.ts"
import { metricPanel } from "../MetricPanel.ts"
import { ink } from "../Palette.ts"

export const lengths: Chart = {
  name: "lengths",
  title: "Length and truncation",
  caption:
    "Mean tokens of a completion, and the share cut at the token limit (which earns nothing): growing length with growing truncation means that the limit is too tight.",
  spec: (record) =>
    lineChart(
      [
        metricPanel(record, "train", {
          title: "mean length (tokens)",
          lines: [{ metric: "completions/mean_length", label: "length", colour: ink.blue }],
          format: "~g"
        }),
        metricPanel(record, "train", {
          title: "truncated (share of completions)",
          lines: [{ metric: "completions/clipped_ratio", label: "truncated", colour: ink.orange }],
          format: "~%"
        })
      ],
      "step"
    )
}
