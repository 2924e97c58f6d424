/** Verb: sets the first reading of every level of every set beside its last one. */
import { type ColumnTable, escape } from "arquero"

/**
 * Turns readings by level (`set`, `step`, `level`, `accuracy`, `samples`) into `set`, `level`, `first`, `last`, where first and last are
 * the accuracies at the set's own first and last step. Sets keep their order; levels are ordered as numbers where they are numbers.
 */
export const firstAndLast = (source: ColumnTable): ColumnTable => {
  const readings = source.objects() as Array<Reading>
  const sets = [...new Set(readings.map(({ set }) => set))]
  const steps = (set: string) => readings.filter((reading) => reading.set === set).map(({ step }) => step)
  const ends = new Map(sets.map((set) => [set, { first: Math.min(...steps(set)), last: Math.max(...steps(set)) }]))
  const at = (end: "first" | "last") =>
    source
      .filter(escape((row: Reading) => row.step === ends.get(row.set)?.[end]))
      .select("set", "level", { accuracy: end })
  return at("first")
    .join_full(at("last"), [
      ["set", "level"],
      ["set", "level"]
    ])
    .derive({
      setOrder: escape((row: Reading) => sets.indexOf(row.set)),
      levelOrder: escape((row: Reading) => numberOf(row.level))
    })
    .orderby("setOrder", "levelOrder", "level")
    .select("set", "level", "first", "last")
    .reify()
}

const numberOf = (level: string): number => {
  const number = Number(level)
  return Number.isFinite(number) ? number : Number.MAX_SAFE_INTEGER
}

interface Reading {
  readonly set: string
  readonly step: number
  readonly level: string
}
