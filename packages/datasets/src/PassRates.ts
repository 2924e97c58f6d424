/**
 * Pass rates that somebody measured elsewhere: a column of a file becomes rated questions. What the column says is stated, never guessed: the
 * same "3/8" is a pass rate on one data set's card and a failure rate on another's reading of it.
 */
import type { PassRateKind } from "@gradus/domain/manifest/Curriculum"
import type { RatedQuestion } from "@gradus/domain/Profile"
import * as Effect from "effect/Effect"
import * as Cells from "./Cells.ts"
import type { DatasetRowInvalid } from "./DatasetErrors.ts"
import { type PassCount, readCount } from "./PassRateKinds.ts"
import type { Row } from "./Row.ts"
import { questionId } from "./Task.ts"

export interface PassRateColumns {
  /** The column that holds the rates. */
  readonly column: string
  readonly kind: PassRateKind
  /** Samples of every question, or the column that says it. Needed but for fractions and lists, which say it themselves. */
  readonly n?: number | { readonly column: string } | undefined
  /** What a null or empty cell means: an error (absent), or a question of which nothing is known, which filters drop as unscored. */
  readonly missing?: "refuse" | "unscored" | undefined
  /** Whether a rate that is no whole number of passes of n is an error (absent) or taken to the nearest, for columns that were rounded. */
  readonly rounding?: "refuse" | "nearest" | undefined
  /** Column with the ids; absent: `question_id` or `id` where the first row has it, else ids by row (`row-000001`). */
  readonly id?: string | undefined
  readonly domain?: string | undefined
}

const idColumn = (rows: ReadonlyArray<Row>, columns: PassRateColumns): string | undefined => {
  const values = rows[0]?.values ?? {}
  return columns.id ?? ["question_id", "id"].find((name) => Object.hasOwn(values, name))
}

/** Reads how many samples a row has; undefined where its own cell has to say it. */
const samplesOf = (file: string, row: Row, { n }: PassRateColumns): Cells.Cell<number | undefined> =>
  n === undefined || typeof n === "number" ? Effect.succeed(n) : Cells.count(file, row, n.column, 1, 1_000_000_000)

const countOf = Effect.fnUntraced(function* (file: string, row: Row, columns: PassRateColumns) {
  const value = yield* Cells.present(file, row, columns.column)
  if (columns.missing === "unscored" && (value === null || value === "")) return { passed: 0, scored: 0 }
  const samples = yield* samplesOf(file, row, columns)
  const read = readCount(columns.kind, value, samples, columns.rounding ?? "refuse")
  return typeof read === "string" ? yield* Cells.invalid(file, row, columns.column, read) : (read satisfies PassCount)
})

/**
 * Reads the pass rate of every row. Fails with `DatasetRowInvalid` at the first row whose value is absent, not of the kind that is stated, out of
 * range, or no whole number of passes; whose id an earlier row has; or that says no number of samples.
 */
export const passRates = Effect.fnUntraced(function* (
  rows: ReadonlyArray<Row>,
  file: string,
  columns: PassRateColumns
): Effect.fn.Return<ReadonlyArray<RatedQuestion>, DatasetRowInvalid> {
  const unique = Cells.uniqueIds(file)
  const ids = idColumn(rows, columns)
  const rated: Array<RatedQuestion> = []
  for (const row of rows) {
    const { passed, scored } = yield* countOf(file, row, columns)
    const id = ids === undefined ? questionId("row", row.row) : yield* Cells.label(file, row, ids)
    yield* unique(row, ids ?? "row", id)
    const domain = columns.domain === undefined ? undefined : yield* Cells.optionalLabel(file, row, columns.domain)
    rated.push({ question_id: id, passed, scored, ...(domain === undefined ? {} : { domain }) })
  }
  return rated
})
