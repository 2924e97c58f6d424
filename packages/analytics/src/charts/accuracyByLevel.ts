/** Chart: accuracy before and after GRPO at each stated difficulty of the evaluation sets. */
import type { Chart } from "../Chart.ts"
import { chartSpec, WIDTH } from "../ChartStyle.ts"
import { ink } from "../Palette.ts"
import { levelReadingsTable, rowsOf } from "../Tables.ts"
import { firstAndLast } from "../verbs/firstAndLast.ts"

interface Row {
  readonly set: string
  readonly level: string
  readonly first: number | null
  readonly last: number | null
}

const BEFORE = "before"
const AFTER = "after"
/** Room for the labels. Without a canvas vega takes text for half as wide again as it is: the limit is in its measure. */
const MARGIN = 96
const LABEL_LIMIT = 145
/** A mark at 0 % stands half over the axis, beside the label and not on it. */
const LABEL_PADDING = 8

export const accuracyByLevel: Chart = {
  name: "accuracy-by-level",
  title: "Accuracy by level",
  caption:
    "Share of sampled answers that are right at each level that the question's author states, before and after GRPO: the longer the bar to the right, the more was learnt there.",
  spec: (record) => {
    const rows = rowsOf<Row>(firstAndLast(levelReadingsTable(record))).map((row) => ({
      ...row,
      label: `${row.set} ${row.level}`
    }))
    if (rows.every(({ first, last }) => first === null && last === null)) return null
    const y = {
      field: "label",
      type: "ordinal",
      sort: rows.map(({ label }) => label),
      axis: { grid: true, labelLimit: LABEL_LIMIT, labelPadding: LABEL_PADDING, maxExtent: MARGIN, minExtent: MARGIN }
    }
    const moments = rows.flatMap(({ first, label, last }) =>
      [
        { label, moment: BEFORE, accuracy: first },
        { label, moment: AFTER, accuracy: last }
      ].filter(({ accuracy }) => accuracy !== null)
    )
    return chartSpec({
      title: "accuracy (share of samples)",
      width: WIDTH - (MARGIN - 34),
      height: { step: 20 },
      layer: [
        {
          data: { values: rows.filter(complete) },
          mark: bar,
          encoding: { y, x: share("first"), x2: { field: "last" } }
        },
        {
          data: { values: moments },
          mark: { type: "point", filled: true, opacity: 1, size: 62 },
          encoding: { y, x: share("accuracy"), color: by(ink.grey, ink.blue), shape: by("circle", "diamond") }
        }
      ]
    })
  }
}

const complete = ({ first, last }: Row): boolean => first !== null && last !== null
const bar = { type: "rule", strokeWidth: 3, color: ink.axis }
const share = (field: string) => ({
  field,
  type: "quantitative",
  scale: { domain: [0, 1] },
  axis: { format: ".0%", title: null, grid: false }
})
const by = (before: string, after: string) => ({
  field: "moment",
  type: "nominal",
  scale: { domain: [BEFORE, AFTER], range: [before, after] }
})
