/** Chart: loss and gradient norm of the supervised warm-up. */
import type { Chart } from "../Chart.ts"
import { lineChart } from "../LinePanel.ts"
import { metricPanel } from "../MetricPanel.ts"
import { ink } from "../Palette.ts"

export const warmup: Chart = {
  name: "warmup",
  title: "Warm-up",
  caption:
    "Cross-entropy on the worked examples (nats a token) and gradient norm by step: the loss should fall and level off before GRPO begins.",
  spec: (record) =>
    lineChart(
      [
        metricPanel(record, "warmup", {
          title: "cross-entropy (nats a token)",
          lines: [{ metric: "loss", label: "loss", colour: ink.blue }],
          format: "~g"
        }),
        metricPanel(record, "warmup", {
          title: "gradient norm",
          lines: [{ metric: "grad_norm", label: "gradient norm", colour: ink.orange }],
          format: "~g"
        })
      ],
      "step"
    )
}
