/** Chart: entropy of the policy, loss and gradient norm of the updates. */
import type { Chart } from "../Chart.ts"
import { lineChart } from "../LinePanel.ts"
import { metricPanel } from "../MetricPanel.ts"
import { ink } from "../Palette.ts"

export const optimisation: Chart = {
  name: "optimisation",
  title: "Entropy, loss and gradient",
  caption:
    "Entropy of the policy (nats a token), policy loss and gradient norm before clipping: entropy that falls to 0 ends exploration, a norm that jumps warns of a collapse; the loss itself has no goal.",
  spec: (record) =>
    lineChart(
      [
        metricPanel(record, "train", {
          title: "entropy (nats a token)",
          lines: [{ metric: "entropy", label: "entropy", colour: ink.purple }],
          format: "~g"
        }),
        metricPanel(record, "train", {
          title: "loss",
          lines: [{ metric: "loss", label: "loss", colour: ink.blue }],
          format: "~g"
        }),
        metricPanel(record, "train", {
          title: "gradient norm",
          lines: [{ metric: "grad_norm", label: "gradient norm", colour: ink.orange }],
          format: "~g"
        })
      ],
      "step"
    )
}
