/** Verb: divides one metric of a stage by another, step by step. */
import { type ColumnTable, escape } from "arquero"

/** Gives `step` and `value` = part / whole from the long table of metrics; null where the whole is 0 or one of them has no value. Steps without both are not there. */
export const shareOfMetric =
  (stage: string, part: string, whole: string) =>
  (source: ColumnTable): ColumnTable => {
    const only = (metric: string) =>
      source.filter(escape((row: Row) => row.stage === stage && row.metric === metric)).select("step", "value")
    return only(part)
      .rename({ value: "part" })
      .join(only(whole).rename({ value: "whole" }), "step")
      .derive({ value: escape((row: Both) => (row.part === null || !row.whole ? null : row.part / row.whole)) })
      .select("step", "value")
      .orderby("step")
      .reify()
  }

interface Row {
  readonly stage: string
  readonly metric: string
}
interface Both {
  readonly part: number | null
  readonly whole: number | null
}
