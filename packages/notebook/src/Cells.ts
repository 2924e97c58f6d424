/** A value of any kind as columns and rows, which is what tables are written from. */
import type { ColumnTable } from "arquero"

export interface Cells {
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<unknown>>
  /** Rows that there are; more than `rows` where only the first ones are shown. */
  readonly total: number
}

export interface Cut {
  /** Rows that are shown at most; 20 unless told. */
  readonly limit?: number
  /** Columns that are shown, in this order; all unless told. */
  readonly columns?: ReadonlyArray<string>
}

const LIMIT = 20

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

/** Tables are known by what they can do: a notebook may have loaded arquero a second time. */
const isTable = (value: unknown): value is ColumnTable =>
  isObject(value) && typeof value["columnNames"] === "function" && typeof value["numRows"] === "function"

const cellsOfRows = (
  rows: ReadonlyArray<Readonly<Record<string, unknown>>>,
  names: ReadonlyArray<string>,
  { columns = names, limit = LIMIT }: Cut,
  total = rows.length
): Cells => ({ columns, rows: rows.slice(0, limit).map((row) => columns.map((name) => row[name])), total })

/** Takes tables, lists of objects and objects (one row a property) apart; undefined for everything else. */
export const cellsOf = (value: unknown, cut: Cut): Cells | undefined => {
  if (isTable(value)) {
    const rows = value.objects({ limit: cut.limit ?? LIMIT }) as ReadonlyArray<Readonly<Record<string, unknown>>>
    return cellsOfRows(rows, value.columnNames(), cut, value.numRows())
  }
  if (Array.isArray(value)) {
    if (!value.every(isObject)) return undefined
    return cellsOfRows(value, [...new Set(value.flatMap((row) => Object.keys(row)))], cut)
  }
  if (!isObject(value)) return undefined
  const rows = Object.entries(value).map(([name, own]) => ({ name, value: own }))
  return cellsOfRows(rows, ["name", "value"], { limit: rows.length, ...cut })
}
