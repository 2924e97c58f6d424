/** Verb: adds up seconds by one column. */
import { type ColumnTable, desc, op } from "arquero"

/** Sums `seconds` of the output of `phaseShares` by `stage` or by `phase`, the largest first. */
export const secondsBy =
  (column: "stage" | "phase") =>
  (source: ColumnTable): ColumnTable =>
    source
      .groupby(column)
      .rollup({ seconds: op.sum("seconds") })
      .orderby(desc("seconds"))
      .reify()
