/** Verb: sets what a judge said beside what a rule says of the same completions. */
import { type ColumnTable, escape, op } from "arquero"
import { withWilson } from "./withWilson.ts"

/**
 * Turns verdicts (`verdict`, `rule`: "right", "wrong" or null) into one row for each value of `column`: `compared` (yes or no, and graded), `agreement`
 * with Wilson's 95 % bounds `low` and `high`, `yes` and `right` (shares of the judge and of the rule), `false_accepts` (share of the wrong ones that the judge
 * accepts) and `false_rejects` (share of the right ones that it refuses), null where there is none of them.
 */
export const judgeAgreement =
  (column: string) =>
  (verdicts: ColumnTable): ColumnTable =>
    withWilson(
      verdicts
        .filter(escape((row: Row) => row.rule !== null && (row.verdict === "yes" || row.verdict === "no")))
        .derive({
          said: escape((row: Row) => (row.verdict === "yes" ? 1 : 0)),
          true: escape((row: Row) => (row.rule === "right" ? 1 : 0)),
          accepted: escape((row: Row) => (row.verdict === "yes" && row.rule === "wrong" ? 1 : 0)),
          refused: escape((row: Row) => (row.verdict === "no" && row.rule === "right" ? 1 : 0))
        })
        .groupby(column)
        .rollup({
          compared: op.count(),
          said: op.sum("said"),
          true: op.sum("true"),
          accepted: op.sum("accepted"),
          refused: op.sum("refused")
        })
        .derive({
          accuracy: escape((row: Sums) => (row.compared - row.accepted - row.refused) / row.compared),
          scored: escape((row: Sums) => row.compared)
        })
    )
      .derive({
        yes: escape((row: Sums) => row.said / row.compared),
        right: escape((row: Sums) => row.true / row.compared),
        false_accepts: escape((row: Sums) => share(row.accepted, row.compared - row.true)),
        false_rejects: escape((row: Sums) => share(row.refused, row.true))
      })
      .rename({ accuracy: "agreement" })
      .select(column, "compared", "agreement", "low", "high", "yes", "right", "false_accepts", "false_rejects")
      .orderby(column)
      .reify()

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)

interface Row {
  readonly verdict: string
  readonly rule: string | null
}
interface Sums {
  readonly compared: number
  readonly said: number
  readonly true: number
  readonly accepted: number
  readonly refused: number
}
