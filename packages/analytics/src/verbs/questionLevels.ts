/** Verb: gives each profiled question its level, and says whether the filter keeps it. */
import { type ColumnTable, escape, op } from "arquero"

/** Up to so many samples a question, each count k/n is a level of its own; above, levels are tenths. */
const MOST_LEVELS = 12
const TENTHS = 10

export interface Cut {
  /** Pass rates at or above this are dropped. */
  readonly drop_at: number
  /** Pass rates below this are dropped. */
  readonly floor?: number
}

/**
 * Adds `level` (from 0 = hardest; -1 = unscored), `label` ("3/8", "30-40 %" or "unscored") and `kept` to the table of the profile.
 * A question of which not all samples have a score goes to the level nearest its rate.
 */
export const questionLevels =
  (cut: Cut) =>
  (source: ColumnTable): ColumnTable => {
    const samples = Number(source.rollup({ most: op.max("n") }).get("most", 0) ?? 0)
    const exact = samples <= MOST_LEVELS
    const levelOf = (rate: number): number =>
      exact ? Math.round(rate * samples) : Math.min(TENTHS - 1, Math.floor(rate * TENTHS))
    const labelOf = (level: number): string =>
      exact ? `${level}/${samples}` : `${level * TENTHS}-${(level + 1) * TENTHS} %`
    return source.derive({
      level: escape(({ rate }: Row) => (rate === null ? -1 : levelOf(rate))),
      label: escape(({ rate }: Row) => (rate === null ? "unscored" : labelOf(levelOf(rate)))),
      kept: escape(({ rate }: Row) => rate !== null && rate < cut.drop_at && rate >= (cut.floor ?? 0))
    })
  }

interface Row {
  readonly rate: number | null
}
