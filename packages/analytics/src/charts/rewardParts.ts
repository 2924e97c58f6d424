/** Chart: the reward of training and the parts it is made of. */
import type { Chart } from "../Chart.ts"
import { lineChart } from "../LinePanel.ts"
import { metricPanel } from "../MetricPanel.ts"
import { ink } from "../Palette.ts"

export const rewardParts: Chart = {
  name: "reward-parts",
  title: "Reward parts",
  caption:
    "Mean over a step's scored completions, each part in [0, 1]: the reward is what is right in both answer and format, so the lower part is the one that holds it back.",
  spec: (record) =>
    lineChart(
      [
        metricPanel(record, "train", {
          title: "mean reward and its parts",
          lines: [
            { metric: "rewards/accuracy", label: "accuracy", colour: ink.blue, dash: [6, 2] },
            { metric: "rewards/format", label: "format", colour: ink.green, dash: [2, 2] },
            { metric: "reward", label: "reward", colour: ink.orange }
          ],
          format: ".0%",
          domain: [0, 1]
        })
      ],
      "step"
    )
}
