/** Chart: what is left of each pool after each planned batch. */
import { chartSpec, HEIGHT, stepAxis, WIDTH } from "../../ChartStyle.ts"
import { levelColours } from "../../Palette.ts"
import type { PlanChart } from "../../PlanChart.ts"
import { planDrawsTable, rowsOf } from "../../Tables.ts"
import { planWindows, windowOf } from "../../verbs/planWindows.ts"

interface Row {
  readonly from: number
  readonly to: number
  readonly rate: number
  readonly drawn: number
  readonly left: number
}

/** Above so many pass rates neighbours are drawn as one band. */
const MOST_BANDS = 11

export const planDepletion: PlanChart = {
  name: "plan-depletion",
  title: "When the pools run dry",
  caption:
    "Questions left at each pass rate (%) after each batch: the easy bands should empty first, the hard ones last; a band that is empty early is what fill replaces.",
  spec: ([report]) => {
    if (report === undefined || report.draws.length === 0) return null
    const rows = rowsOf<Row>(planWindows(windowOf(report.batches.length))(planDrawsTable(report.draws)))
    const band = bandOf([...new Set(rows.map(({ rate }) => rate))].toSorted((a, b) => a - b))
    const first = rows.filter(({ from }) => from === 1).map((row) => ({ ...row, to: 0, left: row.left + row.drawn }))
    const values = [...first, ...rows].map(({ left, rate, to }) => ({ step: to, left, ...band(rate) }))
    const labels = [...new Map(values.map(({ band: index, label }) => [index, label])).entries()]
      .toSorted(([a], [b]) => a - b)
      .map(([, label]) => label)
    return chartSpec({
      title: "questions left, by pass rate",
      width: WIDTH,
      height: HEIGHT,
      data: { values: added(values) },
      mark: { type: "area", interpolate: "linear", opacity: 1, line: false },
      encoding: {
        x: stepAxis("batch"),
        y: { field: "left", type: "quantitative", stack: "zero", axis: { format: ",d" } },
        order: { field: "band", type: "quantitative" },
        color: {
          field: "label",
          type: "nominal",
          scale: { domain: labels, range: levelColours(labels.length) },
          legend: { columns: 4, symbolType: "square" }
        }
      }
    })
  }
}

const percent = (rate: number): string => `${Math.round(rate * 1000) / 10} %`

/** Gives each rate its band: one a rate, or tenths where there are many. */
const bandOf = (rates: ReadonlyArray<number>) => (rate: number) => {
  if (rates.length <= MOST_BANDS) return { band: rates.indexOf(rate), label: percent(rate) }
  const tenth = Math.min(9, Math.floor(rate * 10))
  return { band: tenth, label: `${tenth * 10}-${tenth * 10 + 10} %` }
}

interface Value {
  readonly step: number
  readonly left: number
  readonly band: number
  readonly label: string
}

/** Adds up the rates of a band. */
const added = (values: ReadonlyArray<Value>): ReadonlyArray<Value> => {
  const sums = new Map<string, Value>()
  for (const value of values) {
    const key = `${value.step}/${value.band}`
    sums.set(key, { ...value, left: value.left + (sums.get(key)?.left ?? 0) })
  }
  return [...sums.values()]
}
