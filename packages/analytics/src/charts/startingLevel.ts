/** Chart: how the questions of each starting level fare when they are drawn. */
import type { Chart } from "../Chart.ts"
import { lineChart } from "../LinePanel.ts"
import { levelColours } from "../Palette.ts"
import { historyTable, rowsOf } from "../Tables.ts"
import { curvesByStartingLevel } from "../verbs/curvesByStartingLevel.ts"

interface Row {
  readonly band: number
  readonly label: string
  readonly from: number
  readonly mean: number
  readonly start: number
}

/** At most so many points a curve. */
const WINDOWS = 30

export const startingLevel: Chart = {
  name: "starting-level",
  title: "Questions by starting level",
  caption:
    "Mean value of the groups drawn in each window of steps, by the profile's pass rate of their questions: where a curve lies above its band the policy has outgrown the profile; a little of it, for the hardest, is regression to the mean.",
  spec: (record) => {
    const history = record.history ?? []
    const last = history.reduce((most, row) => Math.max(most, row.step), 0)
    const window = Math.max(1, Math.ceil(last / WINDOWS))
    const rows = rowsOf<Row>(curvesByStartingLevel(window)(historyTable(record)))
    const bands = new Map(rows.map(({ band, label }) => [band, label]))
    const labels = [...bands].toSorted(([a], [b]) => a - b).map(([, label]) => label)
    const colours = levelColours(labels.length)
    const dashes = [
      [1, 0],
      [6, 2],
      [4, 2, 1, 2],
      [2, 2]
    ]
    const panel = {
      title: "mean value of a group, by starting pass rate",
      points: rows.map(({ from, label, mean }) => ({ step: from, value: mean, series: label })),
      series: labels.map((label, i) => ({ label, colour: colours[i] ?? "", dash: dashes[i] ?? [1, 0] })),
      format: ".0%",
      domain: [0, 1] as const
    }
    return lineChart([panel], "step")
  }
}
