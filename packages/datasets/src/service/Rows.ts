/** Reading the rows of a data set from a file: JSONL or Parquet, told apart by the file's first bytes. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { DatasetRowInvalid, DatasetUnreadable } from "../DatasetErrors.ts"
import { parseJsonLines } from "../JsonLines.ts"
import { decodeTable } from "../Table.ts"
import type { Row } from "../Row.ts"

const magic = "PAR1"

const readParquet = Effect.fnUntraced(function* (file: string, bytes: Uint8Array, limit: number | undefined) {
  const { rows } = yield* decodeTable(bytes, file, limit).pipe(
    Effect.mapError(({ reason }) => new DatasetUnreadable({ file, reason }))
  )
  if (rows.length === 0) return yield* new DatasetUnreadable({ file, reason: "the file has no rows" })
  return rows.map((values, i): Row => ({ row: i + 1, values }))
})

const decodeText = (file: string, bytes: Uint8Array): Effect.Effect<string, DatasetUnreadable> =>
  Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => new DatasetUnreadable({ file, reason: "not UTF-8 text (and not Parquet)" })
  })

/**
 * Reads all rows, or the first `limit`. Rows count from 1: lines in JSONL, rows in Parquet. INT64 becomes a number where it is exact.
 * Fails with `DatasetUnreadable` (no such file, empty, neither format) or `DatasetRowInvalid` (a bad line, with its number).
 */
export const readRows = Effect.fn("Rows.readRows")(function* (
  file: string,
  limit?: number
): Effect.fn.Return<ReadonlyArray<Row>, DatasetUnreadable | DatasetRowInvalid, FileSystem.FileSystem> {
  const files = yield* FileSystem.FileSystem
  const bytes = yield* files.readFile(file).pipe(
    Effect.mapError((error) => {
      const reason = error.reason._tag === "NotFound" ? "there is no such file" : error.message
      return new DatasetUnreadable({ file, reason })
    })
  )
  if (bytes.length === 0) return yield* new DatasetUnreadable({ file, reason: "the file is empty" })
  if (String.fromCharCode(...bytes.subarray(0, 4)) === magic) return yield* readParquet(file, bytes, limit)
  if (file.endsWith(".parquet")) {
    return yield* new DatasetUnreadable({ file, reason: "named .parquet, and does not begin as Parquet does" })
  }
  return yield* parseJsonLines(yield* decodeText(file, bytes), file, limit)
})
