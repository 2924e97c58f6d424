/** JSON lines: one object a line. A line that cannot be read is an error with its number, never skipped. */
import * as Effect from "effect/Effect"
import { DatasetRowInvalid, DatasetUnreadable } from "./DatasetErrors.ts"
import type { Row } from "./Row.ts"

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const badJson = (line: string, torn: boolean, cause: unknown): string => {
  if (torn) return "the file ends within this row (no line break, and not JSON): it was torn while it was written"
  if (/[:[,]\s*-?(?:NaN|Infinity)\b/u.test(line)) return "NaN and Infinity are not JSON; write null"
  return `not JSON: ${cause instanceof Error ? cause.message : String(cause)}`
}

/**
 * Reads the objects of a JSONL text; blank lines are passed over, `limit` rows at most are read.
 * Fails with `DatasetRowInvalid` for a line that is no JSON object, a torn last line, NaN; with `DatasetUnreadable` where no row is.
 */
export const parseJsonLines = (
  text: string,
  file: string,
  limit = Infinity
): Effect.Effect<ReadonlyArray<Row>, DatasetUnreadable | DatasetRowInvalid> => {
  const rows: Array<Row> = []
  const lines = text.split("\n")
  for (let i = 0; i < lines.length && rows.length < limit; i++) {
    const line = lines[i] ?? ""
    const row = i + 1
    if (line.trim() === "") continue
    try {
      const values: unknown = JSON.parse(i === 0 ? line.replace(/^\uFEFF/u, "") : line)
      if (!isObject(values)) {
        return Effect.fail(new DatasetRowInvalid({ file, row, reason: 'not an object: a row is {"column": value, …}' }))
      }
      rows.push({ row, values })
    } catch (cause) {
      return Effect.fail(new DatasetRowInvalid({ file, row, reason: badJson(line, row === lines.length, cause) }))
    }
  }
  return rows.length === 0
    ? Effect.fail(new DatasetUnreadable({ file, reason: "the file has no rows" }))
    : Effect.succeed(rows)
}
