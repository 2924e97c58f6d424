/** Chart: learning curves over optimizer updates, an arm a panel. */
import { bandChart } from "../../sweep/bandChart.ts"
import type { SweepChart } from "../../sweep/SweepChart.ts"

export const curvesByUpdates: SweepChart = {
  name: "sweep-curves-updates",
  title: "Learning curves at equal updates",
  caption:
    "The same curves over optimizer updates: what an update teaches, whatever its completions cost; mean over seeds with a 95 % bootstrap band, grey is the baseline.",
  spec: (record) => bandChart(record, "updates", "updates", "d")
}
