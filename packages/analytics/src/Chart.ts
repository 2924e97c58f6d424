/** What a chart is: a pure function from a run record to a vega-lite spec, with the words that stand beside it. */
import type { RunRecord } from "@gradus/domain/RunRecord"
import type { TopLevelSpec } from "vega-lite"

export interface Chart {
  /** Names the files of the figure. */
  readonly name: string
  readonly title: string
  /** One sentence: what to look for, and the units. */
  readonly caption: string
  /** null when the record has nothing to draw. */
  readonly spec: (record: RunRecord) => TopLevelSpec | null
}
