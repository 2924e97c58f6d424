/** Reading one cell of a row: the column has to be there and its value of a kind that fits. Each reader fails with the row, the column and what was found. */
import * as Effect from "effect/Effect"
import { DatasetRowInvalid } from "./DatasetErrors.ts"
import type { Row } from "./Row.ts"
import { nearest } from "./Suggestion.ts"

export type Cell<A> = Effect.Effect<A, DatasetRowInvalid>

/** Shows a value as errors do: texts cut, lists and objects by name. */
export const shown = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object"
  return String(value)
}

/** Makes the error of one cell. */
export const invalid = (file: string, row: Row, column: string, reason: string): DatasetRowInvalid =>
  new DatasetRowInvalid({ file, row: row.row, column, reason })

const wrong = (file: string, row: Row, column: string, wanted: string): DatasetRowInvalid =>
  invalid(file, row, column, `${wanted} is needed, and it is ${shown(row.values[column])}`)

/** Reads whatever is in a column; fails where the row lacks it, with the columns that are there. */
export const present = (file: string, row: Row, column: string): Cell<unknown> => {
  if (Object.hasOwn(row.values, column) && row.values[column] !== undefined) return Effect.succeed(row.values[column])
  const columns = Object.keys(row.values)
  const meant = nearest(column, columns)
  const suggestion = meant === undefined ? "" : `; did you mean "${meant}"?`
  return Effect.fail(invalid(file, row, column, `no such column; the row has: ${columns.join(", ")}${suggestion}`))
}

/** Half of a surrogate pair (JSON can escape one, a cut can leave one) has no UTF-8 form: no digest, no seed and no wire could tell it from another. */
const wellFormed = (file: string, row: Row, column: string) => (read: Cell<string>) =>
  Effect.filterOrFail(
    read,
    (value) => value.isWellFormed(),
    () => invalid(file, row, column, "the text contains half of a surrogate pair")
  )

/** Reads a text. */
export const text = (file: string, row: Row, column: string): Cell<string> =>
  present(file, row, column).pipe(
    Effect.filterOrFail(
      (value) => typeof value === "string",
      () => wrong(file, row, column, "a text")
    ),
    wellFormed(file, row, column)
  )

/** Reads a text, or a finite number as its text: golds, ids and levels are written either way. */
export const label = (file: string, row: Row, column: string): Cell<string> =>
  present(file, row, column).pipe(
    Effect.filterOrFail(
      (value) => typeof value === "string" || (typeof value === "number" && Number.isFinite(value)),
      () => wrong(file, row, column, "a text or a finite number")
    ),
    Effect.map(String),
    wellFormed(file, row, column)
  )

/** Reads a label that may be null or absent. */
export const optionalLabel = (file: string, row: Row, column: string): Cell<string | undefined> => {
  const value = row.values[column] ?? undefined
  return value === undefined ? Effect.succeed(value) : label(file, row, column)
}

/** Reads a whole number in [low, high]; the reason says which of these it is not. */
export const count = (file: string, row: Row, column: string, low: number, high: number): Cell<number> =>
  Effect.flatMap(present(file, row, column), (value) => {
    if (typeof value !== "number" || !Number.isInteger(value)) {
      return Effect.fail(wrong(file, row, column, "a whole number"))
    }
    if (value < low || value > high) {
      return Effect.fail(wrong(file, row, column, `a number from ${low} to ${high}`))
    }
    return Effect.succeed(value)
  })

/** Remembers in which row each id stands; an id that comes again fails with both rows. */
export const uniqueIds = (file: string): ((row: Row, column: string, id: string) => Cell<string>) => {
  const rows = new Map<string, number>()
  return (row, column, id) => {
    const earlier = rows.get(id)
    if (id === "") return Effect.fail(invalid(file, row, column, "an id is needed, and it is empty"))
    if (earlier !== undefined) {
      return Effect.fail(invalid(file, row, column, `id ${shown(id)} is already that of row ${earlier}`))
    }
    rows.set(id, row.row)
    return Effect.succeed(id)
  }
}
