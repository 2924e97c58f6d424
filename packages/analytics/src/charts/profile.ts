/** Chart: how hard the questions are for the policy before GRPO, and what the filter dropped. */
import type { Chart } from "../Chart.ts"
import { chartSpec, HEIGHT, WIDTH } from "../ChartStyle.ts"
import { ink } from "../Palette.ts"
import { profileTable, rowsOf } from "../Tables.ts"
import { countByLevel } from "../verbs/countByLevel.ts"
import { questionLevels } from "../verbs/questionLevels.ts"

interface Row {
  readonly level: number
  readonly label: string
  readonly kept: boolean
  readonly questions: number
}

const KEPT = "kept"
const DROPPED = "dropped"

export const profile: Chart = {
  name: "profile",
  title: "Profile of the questions",
  caption:
    "Number of training questions by correct answers of the profile's samples, before GRPO; the dashed line is the cut, from which questions are too easy and dropped.",
  spec: (record) => {
    const cut = record.manifest.filter
    const counts = rowsOf<Row>(countByLevel(questionLevels(cut)(profileTable(record))))
    if (counts.length === 0) return null
    const firstDropped = counts.find(({ kept, level }) => !kept && level >= 0 && level > lastKept(counts))
    return chartSpec({
      title: "questions, by correct samples",
      width: WIDTH,
      height: HEIGHT,
      data: {
        values: counts.map(({ kept, ...row }) => ({ ...row, decision: kept ? KEPT : DROPPED }))
      },
      layer: [
        { mark: { type: "bar" }, encoding: { x, y, color } },
        {
          mark: { type: "text", dy: -7, fontSize: 12, color: ink.muted },
          encoding: { x, y: { aggregate: "sum", field: "questions" }, text: { aggregate: "sum", field: "questions" } }
        },
        ...(firstDropped === undefined ? [] : cutLine(firstDropped.label, cut.drop_at))
      ]
    })
  }
}

const lastKept = (counts: ReadonlyArray<Row>): number =>
  Math.max(-1, ...counts.filter(({ kept }) => kept).map(({ level }) => level))

const x = {
  field: "label",
  type: "ordinal",
  sort: { field: "level", op: "min" },
  axis: { title: "correct samples", labelAngle: 0 },
  scale: { paddingInner: 0.15 }
}
const y = { field: "questions", type: "quantitative", stack: "zero", axis: { format: ",d" } }
const color = {
  field: "decision",
  type: "nominal",
  scale: { domain: [KEPT, DROPPED], range: [ink.blue, ink.axis] },
  legend: { symbolType: "square" }
}

/** Draws the cut at the left edge of the first level that is dropped. */
const cutLine = (label: string, dropAt: number) => {
  const edge = { datum: label, type: "ordinal", bandPosition: 0 }
  return [
    {
      data: { values: [{}] },
      mark: { type: "rule", strokeDash: [4, 3], strokeWidth: 1.5, color: ink.rose },
      encoding: { x: edge }
    },
    {
      data: { values: [{}] },
      mark: { type: "text", align: "left", baseline: "top", dx: 5, fontSize: 12.5, color: ink.rose },
      encoding: { x: edge, y: { value: 0 }, text: { value: `cut at ${dropAt}` } }
    }
  ]
}
