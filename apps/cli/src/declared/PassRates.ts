/** Flags of commands that read a file with pass rates: its columns, and what the filter drops. */
import * as Flag from "effect/cli/Flag"
import { count, kind, number, text } from "./Flags.ts"

export const columns = {
  kind,
  n: Flag.optional(count("n", "samples a question; fractions and lists say it themselves")),
  nColumn: Flag.optional(text("n-column", "column with the samples of each question, in place of --n")),
  id: Flag.optional(text("id", "column with the ids; absent: question_id or id, else the row")),
  domain: Flag.optional(text("domain", "column with the domains")),
  missing: Flag.optional(
    Flag.Literals("missing", ["refuse", "unscored"]).pipe(
      Flag.withDescription(
        "what an empty cell means: an error (default), or a question without a score, which is dropped"
      )
    )
  ),
  rounding: Flag.optional(
    Flag.Literals("rounding", ["refuse", "nearest"]).pipe(
      Flag.withDescription("a rate that is no whole number of passes: an error (default), or the nearest one")
    )
  )
}

export const filterFlags = {
  dropAt: Flag.optional(number("drop-at", "drop questions with this pass rate or a higher one (0.75)")),
  floor: Flag.optional(number("floor", "drop questions below this pass rate")),
  credibleLevel: Flag.optional(
    number("credible-level", "drop only what the posterior shows to be beyond a cut, at this level")
  )
}

export const columnsOf = <A extends Readonly<Record<keyof typeof columns | "passed", unknown>>>(
  options: A
): Pick<A, keyof typeof columns | "passed"> => {
  const { domain, id, kind: said, missing, n, nColumn, passed, rounding } = options
  return { domain, id, kind: said, missing, n, nColumn, passed, rounding }
}
