/** Chart: where the seconds of each step go. */
import type { Chart } from "../Chart.ts"
import { chartSpec, HEIGHT, MANY_STEPS, WIDTH } from "../ChartStyle.ts"
import { ink, seriesColours } from "../Palette.ts"
import { rowsOf, timingsTable } from "../Tables.ts"
import { lastAttempt } from "../verbs/lastAttempt.ts"
import { phaseShares } from "../verbs/phaseShares.ts"

interface Row {
  readonly stage: string
  readonly step: number
  readonly phase: string
  readonly seconds: number
}

const KNOWN = ["generate", "update", "score", "record", "evaluate", "checkpoint"]

export const times: Chart = {
  name: "times",
  title: "Time by phase",
  caption:
    "Seconds of each GRPO step by phase: generation and update should make up nearly all of it; the part called other is what no phase accounts for.",
  spec: (record) => {
    const rows = rowsOf<Row>(phaseShares(lastAttempt(timingsTable(record)))).filter(({ stage }) => stage === "train")
    if (rows.length === 0) return null
    const found = new Set(rows.map(({ phase }) => phase))
    const phases = [...KNOWN, ...[...found].filter((phase) => !KNOWN.includes(phase)).toSorted()].filter((phase) =>
      found.has(phase)
    )
    const steps = new Set(rows.map(({ step }) => step)).size
    return chartSpec({
      title: "seconds of a step",
      width: WIDTH,
      height: HEIGHT,
      data: { values: rows.map((row) => ({ ...row, order: phases.indexOf(row.phase) })) },
      mark: { type: "bar", strokeWidth: steps > MANY_STEPS ? 0 : 0.6 },
      encoding: {
        x: {
          field: "step",
          type: "ordinal",
          axis: { title: "step", labelAngle: 0, labelOverlap: true },
          scale: { paddingInner: 0.15 }
        },
        y: { field: "seconds", type: "quantitative", stack: "zero", axis: { format: "~g" } },
        order: { field: "order", type: "quantitative" },
        color: {
          field: "phase",
          type: "nominal",
          scale: {
            domain: phases,
            range: phases.map((phase, index) => (phase === "other" ? ink.axis : seriesColours[index % 5]))
          },
          legend: { columns: 5, symbolType: "square" }
        }
      }
    })
  }
}
