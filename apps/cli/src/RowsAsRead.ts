/** Rows of a file written to another one as they were read; the name says the format: `.parquet` is Parquet, anything else JSONL. */
import type { Row } from "@gradus/datasets/Row"
import { ExportImpossible, toJsonLines, toParquet } from "@gradus/datasets/Reorder"
import { pickLines, rewriteParquet } from "@gradus/datasets/Rewrite"
import type { Column } from "@gradus/datasets/Table"
import { readFile } from "@gradus/experiment/AtomicFile"
import * as Effect from "effect/Effect"

/** A file that was read; rows that are in no file (a task made them) have none. */
export interface ReadFile {
  readonly file: string | undefined
  readonly rows: ReadonlyArray<Row>
}

export const isParquet = (file: string): boolean => file.endsWith(".parquet")

/** Tells what a file is by its first bytes, as reading it does. */
const holdsParquet = (bytes: Uint8Array): boolean => String.fromCharCode(...bytes.subarray(0, 4)) === "PAR1"

/**
 * Encodes rows of a file (indices from 0, in the order given, repeated where they are) for an output of that name. Lines of JSONL and columns of Parquet
 * stay as they are where the formats are the same. `added` are columns parallel to `indices`; `dropped` ones are left out, and then rows are written anew.
 */
export const encodeAsRead = Effect.fn("RowsAsRead.encode")(function* (
  { file, rows }: ReadFile,
  indices: ReadonlyArray<number>,
  output: string,
  added: ReadonlyArray<Column> = [],
  dropped: ReadonlySet<string> = new Set()
) {
  const bytes = file === undefined ? undefined : yield* readFile(file)
  const fromParquet = bytes !== undefined && holdsParquet(bytes)
  const whole = dropped.size === 0
  if (whole && isParquet(output) && fromParquet) return yield* rewriteParquet(bytes, indices, file ?? "", added)
  if (whole && !isParquet(output) && bytes !== undefined && !fromParquet && added.length === 0)
    return pickLines(
      new TextDecoder().decode(bytes),
      indices.map((index) => rows[index]?.row ?? 0)
    )
  const taken = added.find(({ name }) => rows.some((row) => Object.hasOwn(row.values, name)))
  if (taken !== undefined)
    return yield* new ExportImpossible({ file: file ?? output, reason: `it has a column ${taken.name} already` })
  const kept = (index: number) =>
    Object.fromEntries(Object.entries(rows[index]?.values ?? {}).filter(([name]) => !dropped.has(name)))
  const values = indices.map((index, i) => ({
    ...kept(index),
    ...Object.fromEntries(added.map((column) => [column.name, column.values[i]]))
  }))
  return isParquet(output) ? yield* toParquet(values, output) : toJsonLines(values)
})
