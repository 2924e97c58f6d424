/** Verb: adds Wilson's 95 % interval to readings of accuracy. */
import { type ColumnTable, escape } from "arquero"
import { wilsonInterval } from "../Statistics.ts"

/** Adds `low` and `high` to a table with `accuracy` (a share or null) and `scored` (samples); null where there is nothing to bound. */
export const withWilson = (source: ColumnTable): ColumnTable =>
  source.derive({
    low: escape((row: Row) => bounds(row)?.low ?? null),
    high: escape((row: Row) => bounds(row)?.high ?? null)
  })

const bounds = ({ accuracy, scored }: Row) => (accuracy === null ? null : wilsonInterval(accuracy, scored))

interface Row {
  readonly accuracy: number | null
  readonly scored: number
}
