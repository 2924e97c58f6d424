/** Verb: splits the seconds of each step into its phases and the rest. */
import { type ColumnTable, escape, op } from "arquero"

/**
 * Turns a long table of times into `stage`, `step`, `phase`, `seconds` without the phase `step` (the whole step); what the named phases
 * leave of it becomes the phase `other`. Parts that were measured apart may exceed the whole by a rounding: `other` is never negative.
 */
export const phaseShares = (source: ColumnTable): ColumnTable => {
  const parts = source.filter(escape((row: Row) => row.phase !== "step")).select("stage", "step", "phase", "seconds")
  const named = parts.groupby("stage", "step").rollup({ named: op.sum("seconds") })
  const rest = source
    .filter(escape((row: Row) => row.phase === "step"))
    .join_left(named, [
      ["stage", "step"],
      ["stage", "step"]
    ])
    .derive({
      phase: escape(() => "other"),
      seconds: escape((row: Row) => Math.max(0, row.seconds - (row.named ?? 0)))
    })
    .select("stage", "step", "phase", "seconds")
  return parts.concat(rest).orderby("step").reify()
}

interface Row {
  readonly phase: string
  readonly seconds: number
  readonly named?: number | null
}
