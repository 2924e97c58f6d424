/** Chart: how far the trainer's probabilities are from the sampler's. */
import type { Chart } from "../Chart.ts"
import { lineChart, type LinePanel } from "../LinePanel.ts"
import { metricPanel } from "../MetricPanel.ts"
import { ink } from "../Palette.ts"

/** A share that is 1 but for its last bits is drawn as 1, not as a curve of roundings. */
const nearOne = (panel: LinePanel): LinePanel =>
  panel.points.every(({ value }) => value === null || value >= 0.9) ? { ...panel, domain: [0.9, 1] } : panel

export const samplerGap: Chart = {
  name: "sampler-gap",
  title: "Trainer and sampler gap",
  caption:
    "Estimates k1 and k3 of the KL divergence and the largest difference of log-probabilities (nats a token), and the effective sample size (share): the gap should stay near 0, the size near 1.",
  spec: (record) =>
    lineChart(
      [
        metricPanel(record, "train", {
          title: "KL estimate (nats a token)",
          lines: [
            { metric: "sampler_gap/k1", label: "k1", colour: ink.blue },
            { metric: "sampler_gap/k3", label: "k3", colour: ink.orange, dash: [4, 2] }
          ],
          format: "~e"
        }),
        metricPanel(record, "train", {
          title: "largest difference (nats)",
          lines: [{ metric: "sampler_gap/max_abs", label: "max |d|", colour: ink.rose }],
          format: "~e"
        }),
        nearOne(
          metricPanel(record, "train", {
            title: "effective sample size (share)",
            lines: [{ metric: "sampler_gap/ess", label: "ESS", colour: ink.green }],
            format: "~%"
          })
        )
      ],
      "step"
    )
}
