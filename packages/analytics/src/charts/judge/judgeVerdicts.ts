/** Chart: what the judge said in each step, as shares of the completions that it was asked about. */
import type { Chart } from "../../Chart.ts"
import { chartSpec, HEIGHT, stepAxis, WIDTH } from "../../ChartStyle.ts"
import { ink } from "../../Palette.ts"

const WORDS = ["yes", "no", "unreadable", "failed"] as const
const COLOURS = [ink.blue, ink.axis, ink.orange, ink.rose]

export const judgeVerdicts: Chart = {
  name: "judge-verdicts",
  title: "Verdicts",
  caption:
    "Share of a step's verdicts by what the judge said: what is unreadable or failed is not scored at all, and should stay near nothing.",
  spec: ({ metrics }) => {
    const values = metrics
      .filter(({ stage }) => stage === "train")
      .flatMap(({ metrics: of, step }) => {
        const counts = WORDS.map((word) => of[`judge/${word}`] ?? 0)
        const all = counts.reduce((sum, count) => sum + count, 0)
        return all === 0 ? [] : WORDS.map((said, i) => ({ step, said, place: i, share: (counts[i] ?? 0) / all }))
      })
    if (values.length === 0) return null
    const steps = new Set(values.map(({ step }) => step)).size
    return chartSpec({
      title: "share of verdicts",
      width: WIDTH,
      height: HEIGHT,
      data: { values },
      mark: { type: "bar", size: Math.max(2, Math.min(26, (0.8 * WIDTH) / (steps + 1))) },
      encoding: {
        x: { ...stepAxis("step"), scale: { nice: false, zero: false, padding: 16 } },
        y: { field: "share", type: "quantitative", scale: { domain: [0, 1] }, axis: { format: ".0%" } },
        color: {
          field: "said",
          type: "nominal",
          scale: { domain: WORDS, range: COLOURS },
          legend: { symbolType: "square" }
        },
        order: { field: "place", type: "quantitative" }
      }
    })
  }
}
