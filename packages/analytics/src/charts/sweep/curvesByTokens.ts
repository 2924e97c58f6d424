/** Chart: learning curves over generated tokens, an arm a panel. */
import { bandChart } from "../../sweep/bandChart.ts"
import type { SweepChart } from "../../sweep/SweepChart.ts"

export const curvesByTokens: SweepChart = {
  name: "sweep-curves-tokens",
  title: "Learning curves at equal tokens",
  caption:
    "Accuracy over tokens generated for training, mean over seeds with a 95 % bootstrap band where there are three seeds or more; grey is the baseline. Arms that ask again for groups without variance pay for them here.",
  spec: (record) => bandChart(record, "tokens", "generated tokens", "~s")
}
