/** Arrow IPC streams with named columns of known types: written from columns, read back with every type checked. */
import {
  Table,
  Type,
  Version,
  Endianness,
  field,
  tableFromIPC,
  tableToIPC,
  type Column,
  type DataType
} from "@uwdata/flechette"
import * as ArrowColumn from "./ArrowColumn.ts"

/** Writes columns, in their order, as one uncompressed IPC stream. `metadata` becomes the schema's. */
export const write = (
  columns: ReadonlyArray<readonly [name: string, column: Column<unknown>]>,
  metadata: ReadonlyMap<string, string>
): Uint8Array => {
  const fields = columns.map(([name, column]) => field(name, column.type))
  const schema = { version: Version.V5, endianness: Endianness.Little, fields, metadata: new Map(metadata) }
  const table = new Table(
    schema as ConstructorParameters<typeof Table>[0],
    columns.map(([, column]) => column)
  )
  return tableToIPC(table, { format: "stream" })!
}

/** The name of a type as the protocol writes it; undefined for all that it has no use for. */
const typeName = (type: DataType): string | undefined => {
  const { typeId } = type
  if (typeId === Type.Utf8) return "utf8"
  if (typeId === Type.Int) return `${type.signed ? "" : "u"}int${type.bitWidth}`
  if (typeId === Type.Float) return ["float16", "float32", "float64"][type.precision]
  if (typeId === Type.List) return `list<${typeName(type.children[0]!.type)}>`
  return undefined
}

const plain = (type: ArrowColumn.ColumnType, column: Column<unknown>): ReadonlyArray<unknown> =>
  ArrowColumn.itemKind(type) === undefined
    ? Array.from(column)
    : Array.from(column, (items) => Array.from(items as ArrayLike<number>))

/** What a stream holds: values by column, as plain arrays, and the schema's metadata. */
export interface Contents {
  readonly length: number
  readonly columns: ReadonlyMap<string, ReadonlyArray<unknown>>
  readonly metadata: ReadonlyMap<string, string>
}

/** Reads a stream whose columns must be among `types`; throws a TypeError that names the column otherwise. */
export const read = (bytes: Uint8Array, types: Readonly<Record<string, ArrowColumn.ColumnType>>): Contents => {
  const table = tableFromIPC(bytes)
  const columns = new Map<string, ReadonlyArray<unknown>>()
  table.schema.fields.forEach(({ name, type }, i) => {
    const wanted = Object.hasOwn(types, name) ? types[name] : undefined
    if (wanted === undefined) throw new TypeError(`unknown column ${name}`)
    const found = typeName(type)
    if (found !== wanted) throw new TypeError(`column ${name} is ${found ?? "of another type"}, not ${wanted}`)
    const column = table.getChildAt(i)
    if (column.nullCount > 0) throw new TypeError(`column ${name} has nulls`)
    columns.set(name, plain(wanted, column))
  })
  return { length: table.numRows, columns, metadata: table.schema.metadata ?? new Map() }
}
