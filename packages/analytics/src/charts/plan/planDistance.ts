/** Chart: how far the distribution of each batch is from the one it aims at. */
import { lineChart } from "../../LinePanel.ts"
import { ink } from "../../Palette.ts"
import type { PlanChart } from "../../PlanChart.ts"

const WASSERSTEIN = "Wasserstein-1"
const VARIATION = "total variation"

export const planDistance: PlanChart = {
  name: "plan-distance",
  title: "Distance between target and batch",
  caption:
    "Wasserstein-1 is how far a question stands off its target on average, in pass rate; total variation is the share of the batch that would have to be exchanged: whole counts alone cost some of it.",
  spec: ([report]) => {
    const points = (report?.batches ?? []).flatMap(({ batch, distance, total_variation }) => [
      ...(distance === null ? [] : [{ step: batch, value: distance, series: WASSERSTEIN }]),
      ...(total_variation === null ? [] : [{ step: batch, value: total_variation, series: VARIATION }])
    ])
    return lineChart(
      [
        {
          title: "distance of a batch from its target",
          points,
          series: [
            { label: WASSERSTEIN, colour: ink.blue },
            { label: VARIATION, colour: ink.orange, dash: [5, 3] }
          ],
          format: ".2f",
          domain: [0, 1]
        }
      ],
      "batch"
    )
  }
}
