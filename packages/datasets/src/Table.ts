/**
 * Parquet tables in memory, both ways: flat columns of INT32, DOUBLE, BOOLEAN and UTF-8, which pandas, polars and DuckDB read
 * at once, and lists of them. Every table carries `format` in its key-value metadata. The libraries load when first used.
 */
import * as Effect from "effect/Effect"
import type { SchemaElement } from "hyparquet"
import { TableUnreadable } from "./DatasetErrors.ts"

export type ElementType = "utf8" | "int32" | "double" | "boolean"
export type ColumnType = ElementType | `list<${ElementType}>`

export interface Column {
  readonly name: string
  readonly type: ColumnType
  /** One value a row; null only where the column is nullable. */
  readonly values: ReadonlyArray<unknown>
  readonly nullable: boolean
}

/** Version of the tables that this code writes. */
export const tableFormat = 1

const physical = {
  utf8: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  int32: { type: "INT32" },
  double: { type: "DOUBLE" },
  boolean: { type: "BOOLEAN" }
} as const

const elementOf = (type: ColumnType): ElementType =>
  (type.startsWith("list<") ? type.slice(5, -1) : type) as ElementType

/** The Parquet schema of a column: one element, or the three of the standard list. */
export const schemaOf = ({ name, nullable, type }: Column): Array<SchemaElement> => {
  const repetition_type = nullable ? ("OPTIONAL" as const) : ("REQUIRED" as const)
  const element = physical[elementOf(type)]
  if (!type.startsWith("list<")) return [{ name, repetition_type, ...element }]
  return [
    { name, repetition_type, converted_type: "LIST" as const, num_children: 1 },
    { name: "list", repetition_type: "REPEATED" as const, num_children: 1 },
    { name: "element", repetition_type: "REQUIRED" as const, ...element }
  ]
}

const fits: Readonly<Record<ElementType, (value: unknown) => boolean>> = {
  utf8: (value) => typeof value === "string",
  int32: (value) => typeof value === "number" && (value | 0) === value,
  double: (value) => typeof value === "number",
  boolean: (value) => typeof value === "boolean"
}

const checkColumn = (rows: number, column: Column): void => {
  if (column.values.length !== rows) {
    throw new RangeError(`column ${column.name} has ${column.values.length} rows, and the table ${rows}`)
  }
  const fit = fits[elementOf(column.type)]
  column.values.forEach((value, i) => {
    const elements: ReadonlyArray<unknown> = column.type.startsWith("list<") && Array.isArray(value) ? value : [value]
    if (value === null ? !column.nullable : !elements.every(fit)) {
      throw new RangeError(`column ${column.name}, row ${i + 1}: not ${column.type}: ${String(value)}`)
    }
  })
}

/**
 * Encodes a table; equal tables give equal bytes. Snappy-compressed; a table may have no rows, not no columns.
 * A value that does not fit its column is a defect (RangeError): rows are checked by their schema before.
 */
export const encodeTable = (columns: ReadonlyArray<Column>): Effect.Effect<Uint8Array> =>
  Effect.promise(async () => {
    const { parquetWriteBuffer } = await import("hyparquet-writer")
    const rows = columns[0]?.values.length ?? 0
    for (const column of columns) checkColumn(rows, column)
    const buffer = parquetWriteBuffer({
      columnData: columns.map(({ name, values }) => ({ name, data: [...values] })),
      schema: [{ name: "root", num_children: columns.length }, ...columns.flatMap(schemaOf)],
      kvMetadata: [{ key: "format", value: String(tableFormat) }],
      createdBy: "gradus"
    })
    return new Uint8Array(buffer)
  })

export interface Table {
  /** The `format` of the key-value metadata; null in tables that others wrote. */
  readonly format: number | null
  readonly rows: ReadonlyArray<Readonly<Record<string, unknown>>>
}

/** Turns INT64 into numbers where they are exact, in lists and structs too (other BigInts stay as they are), and what is absent into null. */
const plain = (value: unknown): unknown => {
  if (value === undefined) return null
  if (typeof value === "bigint") {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value
  }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, own]) => [name, plain(own)]))
}

/** Decodes a table, at most `limit` rows of it. Fails with `TableUnreadable`, which calls it `table`, where the bytes are not Parquet or use an unknown codec. */
export const decodeTable = (
  bytes: Uint8Array,
  table = "table",
  limit?: number
): Effect.Effect<Table, TableUnreadable> =>
  Effect.tryPromise({
    try: async () => {
      const { parquetMetadata, parquetReadObjects } = await import("hyparquet")
      const file = new Uint8Array(bytes).buffer
      const metadata = parquetMetadata(file)
      const format = metadata.key_value_metadata?.find(({ key }) => key === "format")?.value
      const range = limit === undefined ? {} : { rowEnd: Math.min(limit, Number(metadata.num_rows)) }
      const rows = await parquetReadObjects({ file, metadata, ...range })
      return {
        format: format === undefined ? null : Number(format),
        rows: rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])))
      }
    },
    catch: (cause) =>
      new TableUnreadable({
        table,
        reason: `not readable as Parquet: ${cause instanceof Error ? cause.message : cause}`
      })
  })
