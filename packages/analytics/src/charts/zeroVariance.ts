/** Chart: the share of groups that teach nothing because all their rewards are equal. */
import type { Chart } from "../Chart.ts"
import { lineChart } from "../LinePanel.ts"
import { metricPanel } from "../MetricPanel.ts"
import { ink } from "../Palette.ts"

export const zeroVariance: Chart = {
  name: "zero-variance",
  title: "Zero-variance groups",
  caption:
    "Share of a step's groups whose rewards are all equal, so that their advantages are 0: high at the start means too easy questions, high at the end too hard (or solved) ones.",
  spec: (record) =>
    lineChart(
      [
        metricPanel(record, "train", {
          title: "groups without a learning signal (share)",
          lines: [{ metric: "frac_reward_zero_std", label: "zero variance", colour: ink.purple }],
          format: ".0%",
          domain: [0, 1]
        })
      ],
      "step"
    )
}
