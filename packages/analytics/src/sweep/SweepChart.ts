/** What a chart of a sweep is: a pure function from its record and comparison to a vega-lite spec. */
import type { TopLevelSpec } from "vega-lite"
import type { Comparison } from "./compareArms.ts"
import type { SweepRecord } from "./SweepRecord.ts"

export interface SweepChart {
  /** Names the files of the figure. */
  readonly name: string
  readonly title: string
  /** One sentence: what to look for, and the units. */
  readonly caption: string
  /** null when there is nothing to draw. */
  readonly spec: (record: SweepRecord, comparison: Comparison) => TopLevelSpec | null
}
