/** Chart: whether the filter that drops easy questions also drops the short ones. */
import { type ColumnTable, op } from "arquero"
import type { Chart } from "../Chart.ts"
import { chartSpec, HEIGHT, PANEL_HEIGHT, WIDTH } from "../ChartStyle.ts"
import { ink } from "../Palette.ts"
import { profileLengthsTable, rowsOf } from "../Tables.ts"
import { lengthsByDecision } from "../verbs/lengthsByDecision.ts"
import { questionLevels } from "../verbs/questionLevels.ts"

const KEPT = "kept"
const DROPPED = "dropped"
const PANELS = [
  { decision: KEPT, colour: ink.blue },
  { decision: DROPPED, colour: ink.orange }
]

/** About so many bins between the shortest and the longest. */
const BINS = 24

interface Extent {
  readonly low: number
  readonly high: number
}

interface Row {
  readonly kept: boolean
  readonly from: number
  readonly questions: number
  readonly share: number
}

/** The width of a bin of `mean_tokens`: 1, 2 or 5 times a power of ten. */
const widthOf = (lengths: ColumnTable): number => {
  const { high, low } = lengths.rollup({ low: op.min("mean_tokens"), high: op.max("mean_tokens") }).object() as Extent
  const raw = (high - low) / BINS
  if (!(raw > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(raw))
  return power * ([1, 2, 5].find((factor) => factor * power >= raw) ?? 10)
}

export const lengthsKept: Chart = {
  name: "lengths-kept",
  title: "Length, kept and dropped",
  caption:
    "Questions by the mean tokens of their answers in the profile, as shares of those that the filter keeps and of those that it drops: where the two lie apart, dropping easy questions changes lengths too.",
  spec: (record) => {
    // of pass rates that a file brought no answer is known
    if (record.profile.every(({ mean_tokens }) => mean_tokens === 0)) return null
    const lengths = profileLengthsTable(record)
    const width = widthOf(lengths)
    const decided = questionLevels(record.manifest.filter)(lengths)
    const values = rowsOf<Row>(lengthsByDecision(width)(decided)).map(({ kept, ...row }) => ({
      ...row,
      // powers of ten below one leave a trace of binary fractions
      from: Number(row.from.toPrecision(12)),
      to: Number((row.from + width).toPrecision(12)),
      decision: kept ? KEPT : DROPPED
    }))
    const range = [Math.min(...values.map(({ from }) => from)), Math.max(...values.map(({ to }) => to))]
    const highest = Math.max(...values.map(({ share }) => share))
    const panels = PANELS.filter(({ decision }) => values.some((row) => row.decision === decision))
    return chartSpec({
      vconcat: panels.map(({ colour, decision }, i) => ({
        title: `share of the ${decision} questions`,
        width: WIDTH,
        height: panels.length === 1 ? HEIGHT : PANEL_HEIGHT,
        data: { values: values.filter((row) => row.decision === decision) },
        mark: { type: "bar", color: colour },
        encoding: {
          x: {
            field: "from",
            type: "quantitative",
            bin: { binned: true, step: width },
            scale: { domain: range },
            axis: { title: i === panels.length - 1 ? "mean tokens of an answer" : null, format: "~s", tickCount: 8 }
          },
          x2: { field: "to" },
          y: {
            field: "share",
            type: "quantitative",
            scale: { domain: [0, highest] },
            axis: { format: "~%", tickCount: 3 }
          }
        }
      }))
    })
  }
}
