/** Arrow columns over flat typed arrays: one record batch, no nulls, no dictionaries, so that equal values give equal bytes. */
import { Batch, Column, batchType, field, float32, int32, list, uint8, utf8 } from "@uwdata/flechette"

/** The number types of the trainer protocol. */
export type NumberKind = "int32" | "uint8" | "float32"
export type ColumnType = "utf8" | NumberKind | `list<${NumberKind}>`

const NUMBER = {
  int32: { type: int32, make: (length: number) => new Int32Array(length) },
  uint8: { type: uint8, make: (length: number) => new Uint8Array(length) },
  float32: { type: float32, make: (length: number) => new Float32Array(length) }
} as const

type Parts = ConstructorParameters<typeof Batch>[0]

/** flechette wants a validity buffer of no bytes where nothing is null. */
const batch = (parts: Omit<Parts, "nullCount" | "validity">): Batch<unknown> =>
  new (batchType(parts.type) as typeof Batch<unknown>)({ ...parts, nullCount: 0, validity: new Uint8Array(0) })

const column = (made: Batch<unknown>): Column<unknown> => new Column([made])

const checkInteger = (kind: NumberKind, flat: ArrayLike<number>, at: number, value: number): void => {
  if (flat[at] !== value) throw new RangeError(`${value} is not a value of ${kind}`)
}

const numberBatch = (kind: NumberKind, lists: ReadonlyArray<ReadonlyArray<number>>, total: number): Batch<unknown> => {
  const values = NUMBER[kind].make(total)
  let at = 0
  for (const items of lists) {
    values.set(items, at)
    if (kind !== "float32") for (let i = 0; i < items.length; i++) checkInteger(kind, values, at + i, items[i]!)
    at += items.length
  }
  return batch({ length: total, type: NUMBER[kind].type(), values })
}

const textBatch = (texts: ReadonlyArray<string>): Batch<unknown> => {
  const encoder = new TextEncoder()
  const encoded = texts.map((text) => encoder.encode(text))
  const offsets = new Int32Array(texts.length + 1)
  encoded.forEach((bytes, i) => (offsets[i + 1] = offsets[i]! + bytes.length))
  const values = new Uint8Array(offsets[texts.length]!)
  encoded.forEach((bytes, i) => values.set(bytes, offsets[i]!))
  return batch({ length: texts.length, type: utf8(), offsets, values })
}

const listBatch = (kind: NumberKind, lists: ReadonlyArray<ReadonlyArray<number>>): Batch<unknown> => {
  const offsets = new Int32Array(lists.length + 1)
  lists.forEach((items, i) => (offsets[i + 1] = offsets[i]! + items.length))
  const child = numberBatch(kind, lists, offsets[lists.length]!)
  const type = list(field("item", NUMBER[kind].type(), true))
  return batch({ length: lists.length, type, offsets, children: [child] })
}

/** Recognises a list type and names its items'. */
export const itemKind = (type: ColumnType): NumberKind | undefined =>
  type.startsWith("list<") ? (type.slice(5, -1) as NumberKind) : undefined

/**
 * Makes a column of one record batch. `values` holds one text, number or array of numbers a row, as the type says.
 * Throws a RangeError for an integer that the type cannot hold.
 */
export const make = (type: ColumnType, values: ReadonlyArray<unknown>): Column<unknown> => {
  if (type === "utf8") return column(textBatch(values as ReadonlyArray<string>))
  const item = itemKind(type)
  if (item !== undefined) return column(listBatch(item, values as ReadonlyArray<ReadonlyArray<number>>))
  return column(numberBatch(type as NumberKind, [values as ReadonlyArray<number>], values.length))
}
