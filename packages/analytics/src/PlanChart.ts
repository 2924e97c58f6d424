/** What a chart of plans is: a pure function from the reports of one plan or several to a vega-lite spec. */
import type { PlanReport } from "@gradus/domain/PlanReport"
import type { TopLevelSpec } from "vega-lite"

export interface PlanChart {
  /** Names the files of the figure. */
  readonly name: string
  readonly title: string
  /** One sentence: what to look for, and the units. */
  readonly caption: string
  /** null when the reports have nothing to draw. Charts of one plan draw the first report. */
  readonly spec: (reports: ReadonlyArray<PlanReport>) => TopLevelSpec | null
}
