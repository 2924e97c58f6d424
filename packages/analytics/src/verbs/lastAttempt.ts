/** Verb: of a step that was done again after a resume, keeps the attempt that counted. */
import { type ColumnTable, escape, op } from "arquero"

/** Keeps, for every stage and step of the long table of times, the rows of the highest `attempt`. */
export const lastAttempt = (source: ColumnTable): ColumnTable =>
  source
    .groupby("stage", "step")
    .derive({ newest: op.max("attempt") })
    .ungroup()
    .filter(escape((row: Row) => row.attempt === row.newest))
    .select("attempt", "stage", "step", "phase", "seconds")
    .reify()

interface Row {
  readonly attempt: number
  readonly newest: number
}
