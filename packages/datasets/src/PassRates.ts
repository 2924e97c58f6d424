/** Pass rates that somebody measured elsewhere: a column with the number of passes of n samples becomes rated questions. */
import type { RatedQuestion } from "@gradus/domain/Profile"
import * as Effect from "effect/Effect"
import * as Cells from "./Cells.ts"
import type { DatasetRowInvalid } from "./DatasetErrors.ts"
import type { Row } from "./Row.ts"
import { questionId } from "./Task.ts"

export interface PassRateColumns {
  /** Column with the number of samples that passed: whole, from 0 to n. */
  readonly passed: string
  /** Samples of every question. */
  readonly n: number
  /** Column with the ids; absent: `question_id` or `id` where the first row has it, else ids by row (`row-000001`). */
  readonly id?: string | undefined
  readonly domain?: string | undefined
}

const idColumn = (rows: ReadonlyArray<Row>, columns: PassRateColumns): string | undefined => {
  const values = rows[0]?.values ?? {}
  return columns.id ?? ["question_id", "id"].find((name) => Object.hasOwn(values, name))
}

/** Reads the pass rate of every row. Fails at the first row whose count is absent, no whole number, below 0 or above n, or whose id an earlier row has. */
export const passRates = Effect.fnUntraced(function* (
  rows: ReadonlyArray<Row>,
  file: string,
  columns: PassRateColumns
): Effect.fn.Return<ReadonlyArray<RatedQuestion>, DatasetRowInvalid> {
  const unique = Cells.uniqueIds(file)
  const ids = idColumn(rows, columns)
  const rated: Array<RatedQuestion> = []
  for (const row of rows) {
    const passed = yield* Cells.count(file, row, columns.passed, 0, columns.n)
    const id = ids === undefined ? questionId("row", row.row) : yield* Cells.label(file, row, ids)
    yield* unique(row, ids ?? "row", id)
    const domain = columns.domain === undefined ? undefined : yield* Cells.optionalLabel(file, row, columns.domain)
    rated.push({ question_id: id, passed, scored: columns.n, ...(domain === undefined ? {} : { domain }) })
  }
  return rated
})
