/** Chart: how many questions of each level are left after each batch of the plan. */
import type { Chart } from "../Chart.ts"
import { chartSpec, HEIGHT, stepAxis, WIDTH } from "../ChartStyle.ts"
import { levelColours } from "../Palette.ts"
import { drawsTable, profileTable, rowsOf } from "../Tables.ts"
import { poolDepletion as depletion } from "../verbs/poolDepletion.ts"
import { questionLevels } from "../verbs/questionLevels.ts"

interface Row {
  readonly batch: number
  readonly level: number
  readonly label: string
  readonly left: number
}

export const poolDepletion: Chart = {
  name: "pool-depletion",
  title: "Pool depletion",
  caption:
    "Questions left at each level (correct answers of the profile's samples) after each planned batch: the easy bands should empty first, the hard ones last.",
  spec: (record) => {
    if (record.plan.length === 0) return null
    const levels = questionLevels(record.manifest.filter)(profileTable(record))
    const rows = rowsOf<Row>(depletion(levels)(drawsTable(record)))
    if (rows.length === 0) return null
    const labels = [...new Map(rows.map(({ label, level }) => [level, label])).entries()]
      .toSorted(([a], [b]) => a - b)
      .map(([, label]) => label)
    return chartSpec({
      title: "questions left, by level",
      width: WIDTH,
      height: HEIGHT,
      data: { values: rows.map(({ batch, ...row }) => ({ step: batch, ...row })) },
      mark: { type: "area", interpolate: "linear", opacity: 1, line: false },
      encoding: {
        x: stepAxis("batch"),
        y: { field: "left", type: "quantitative", stack: "zero", axis: { format: ",d" } },
        order: { field: "level", type: "quantitative" },
        color: {
          field: "label",
          type: "nominal",
          scale: { domain: labels, range: levelColours(labels.length) },
          legend: { columns: 7, symbolType: "square" }
        }
      }
    })
  }
}
