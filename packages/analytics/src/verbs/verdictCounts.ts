/** Verb: counts what a judge said, and what that cost. */
import { type ColumnTable, desc, escape, op } from "arquero"

/**
 * Turns verdicts (`verdict`, `cached`, `prompt_tokens`, `completion_tokens`, `cost`, `ms`) into one row a word, the most frequent first: `verdict`,
 * `completions`, `share`, `cached` (known before), `tokens`, `cost` (null where nothing has a price) and `mean_ms`.
 */
export const verdictCounts = (verdicts: ColumnTable): ColumnTable =>
  verdicts
    .derive({
      known: escape((row: Row) => (row.cached ? 1 : 0)),
      priced: escape((row: Row) => (row.cost === null ? 0 : 1)),
      both: escape((row: Row) => row.prompt_tokens + row.completion_tokens),
      money: escape((row: Row) => row.cost ?? 0)
    })
    .groupby("verdict")
    .rollup({
      completions: op.count(),
      cached: op.sum("known"),
      tokens: op.sum("both"),
      priced: op.sum("priced"),
      money: op.sum("money"),
      mean_ms: op.mean("ms")
    })
    .derive({
      share: escape((row: Counted) => row.completions / verdicts.numRows()),
      cost: escape((row: Counted) => (row.priced === 0 ? null : row.money))
    })
    .select("verdict", "completions", "share", "cached", "tokens", "cost", "mean_ms")
    .orderby(desc("completions"), "verdict")
    .reify()

interface Row {
  readonly cached: boolean
  readonly cost: number | null
  readonly prompt_tokens: number
  readonly completion_tokens: number
}
interface Counted {
  readonly completions: number
  readonly priced: number
  readonly money: number
}
