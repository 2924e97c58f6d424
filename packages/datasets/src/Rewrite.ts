/**
 * Rows of a file written again as they were read: chosen, repeated or in another order, with columns added, and no value or type changed. JSONL keeps
 * the text of its lines, Parquet its schema, nested columns too (chat prompts and rewards of RL data sets are lists and structs).
 */
import * as Effect from "effect/Effect"
import type { SchemaElement } from "hyparquet"
import { ExportImpossible } from "./Reorder.ts"
import { type Column, schemaOf } from "./Table.ts"

/** Values stay as they are stored: times keep their nanoseconds, bytes and texts their bytes. */
const raw = {
  timestampFromMilliseconds: (millis: bigint) => millis,
  timestampFromMicroseconds: (micros: bigint) => micros,
  timestampFromNanoseconds: (nanos: bigint) => nanos,
  dateFromDays: (days: number) => days,
  stringFromBytes: (bytes: Uint8Array) => bytes,
  uuidFromBytes: (bytes: Uint8Array) => bytes
}

/** Metadata that lists a file's columns, and would be wrong of a file that has more of them. */
const listsColumns = new Set(["ARROW:schema", "huggingface", "pandas"])

/** Above so many digits a decimal passes through a double and is another number. */
const exactDigits = 15

const unwritable = (schema: ReadonlyArray<SchemaElement>): string | undefined => {
  for (const { converted_type, name, precision, type } of schema) {
    if (type === "INT96") return `column ${name} is of the old type INT96`
    if (converted_type === "DECIMAL" && (precision ?? 0) > exactDigits)
      return `column ${name} holds decimals of ${precision} digits`
  }
  return undefined
}

/** Puts the columns that are added after the file's own. */
const extended = (schema: ReadonlyArray<SchemaElement>, added: ReadonlyArray<Column>): Array<SchemaElement> => {
  const [root, ...rest] = schema
  return root === undefined
    ? []
    : [{ ...root, num_children: (root.num_children ?? 0) + added.length }, ...rest, ...added.flatMap(schemaOf)]
}

/**
 * Encodes the rows of a Parquet file whose indices (from 0) are given, in that order. `added` are columns parallel to `rows`. Fails with
 * `ExportImpossible` where the file already has a column of that name, or one that cannot be written without loss.
 */
export const rewriteParquet = Effect.fnUntraced(function* (
  bytes: Uint8Array,
  rows: ReadonlyArray<number>,
  file: string,
  added: ReadonlyArray<Column> = []
): Effect.fn.Return<Uint8Array, ExportImpossible> {
  const refuse = (reason: string) => new ExportImpossible({ file, reason })
  const { parquetMetadata, parquetReadObjects, parquetSchema } = yield* Effect.promise(() => import("hyparquet"))
  const buffer = new Uint8Array(bytes).buffer
  const metadata = parquetMetadata(buffer)
  const names = parquetSchema(metadata).children.map(({ element }) => element.name)
  const taken = added.find(({ name }) => names.includes(name))
  if (taken !== undefined) return yield* refuse(`it has a column ${taken.name} already`)
  const reason = unwritable(metadata.schema)
  if (reason !== undefined) return yield* refuse(`${reason}, which cannot be written again as they are: write JSONL`)
  return yield* Effect.tryPromise({
    try: async () => {
      // parsers that leave values as they are stored: the declared ones must make dates and texts
      const read = await parquetReadObjects({ file: buffer, metadata, utf8: false, parsers: raw as never })
      const { parquetWriteBuffer } = await import("hyparquet-writer")
      const kept = metadata.key_value_metadata?.filter(({ key }) => added.length === 0 || !listsColumns.has(key))
      const written = parquetWriteBuffer({
        columnData: [
          ...names.map((name) => ({ name, data: rows.map((row) => read[row]?.[name]) })),
          ...added.map(({ name, values }) => ({ name, data: [...values] }))
        ],
        schema: extended(metadata.schema, added),
        ...(kept === undefined ? {} : { kvMetadata: kept }),
        createdBy: "gradus"
      })
      return new Uint8Array(written)
    },
    catch: (cause) => refuse(`cannot be written again: ${cause instanceof Error ? cause.message : String(cause)}`)
  })
})

/** Picks lines of a JSONL text by their numbers (from 1), each as it was written. */
export const pickLines = (text: string, lines: ReadonlyArray<number>): string => {
  const all = text.replace(/^\uFEFF/u, "").split("\n")
  return lines.map((line) => `${(all[line - 1] ?? "").replace(/\r$/u, "")}\n`).join("")
}
