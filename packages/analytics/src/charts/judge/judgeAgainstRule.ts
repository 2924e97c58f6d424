/** Chart: how often the judge says yes beside how often a rule says right, of the same completions, by step. */
import type { ColumnTable } from "arquero"
import type { TopLevelSpec } from "vega-lite"
import { lineChart } from "../../LinePanel.ts"
import { ink } from "../../Palette.ts"
import { rowsOf } from "../../Tables.ts"

const JUDGE = "judge says yes"
const RULE = "rule says right"

interface Row {
  readonly step: number
  readonly yes: number
  readonly right: number
}

/** Draws the output of `judgeAgreement` by step; null where nothing could be compared. A judge that rises alone is being persuaded. */
export const judgeAgainstRule = (bySteps: ColumnTable): TopLevelSpec | null => {
  const rows = rowsOf<Row>(bySteps)
  return lineChart(
    [
      {
        title: "share of completions",
        points: rows.flatMap(({ right, step, yes }) => [
          { step, value: yes, series: JUDGE },
          { step, value: right, series: RULE }
        ]),
        series: [
          { label: JUDGE, colour: ink.blue },
          { label: RULE, colour: ink.orange, dash: [5, 3] }
        ],
        format: ".0%",
        domain: [0, 1]
      }
    ],
    "step"
  )
}
