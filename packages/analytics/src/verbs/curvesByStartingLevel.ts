/** Verb: the course of questions that were equally hard at the start. */
import { type ColumnTable, escape, op } from "arquero"

/** So many bands of the profile's rate, from never answered to always answered. */
const BANDS = 4

/**
 * Turns a history (`profile_rate`, `step`, `group_mean`, `advantage`) into `band` (0 = hardest), `label`, `from` (first step of the window), `groups`,
 * `mean` (of the group means), `start` (mean of the profile's rates of the same groups) and `silent` (share of groups without an advantage), by windows of
 * `window` steps. Questions without a rate and groups without a score are left out.
 */
export const curvesByStartingLevel =
  (window: number) =>
  (history: ColumnTable): ColumnTable =>
    history
      .filter(escape((row: Row) => row.profile_rate !== null && row.group_mean !== null))
      .derive({
        band: escape(({ profile_rate }: Rated) => Math.min(BANDS - 1, Math.floor(profile_rate * BANDS))),
        from: escape(({ step }: Row) => Math.floor((step - 1) / window) * window + 1),
        quiet: escape(({ advantage }: Row) => (advantage === null || advantage === 0 ? 1 : 0))
      })
      .groupby("band", "from")
      .rollup({
        groups: op.count(),
        mean: op.mean("group_mean"),
        start: op.mean("profile_rate"),
        silent: op.mean("quiet")
      })
      .derive({ label: escape(({ band }: { readonly band: number }) => labelOf(band)) })
      .select("band", "label", "from", "groups", "mean", "start", "silent")
      .orderby("band", "from")
      .reify()

const labelOf = (band: number): string => `${(100 * band) / BANDS}-${(100 * (band + 1)) / BANDS} %`

interface Row {
  readonly profile_rate: number | null
  readonly step: number
  readonly group_mean: number | null
  readonly advantage: number | null
}
interface Rated {
  readonly profile_rate: number
}
