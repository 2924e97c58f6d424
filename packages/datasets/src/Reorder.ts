/** A data set in the order of a plan: what a trainer that reads its file from top to bottom needs, and nothing else. */
import type { PlannedBatch } from "@gradus/domain/Plan"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Row } from "./Row.ts"
import { type Column, type ColumnType, encodeTable } from "./Table.ts"

/** A plan and a data set do not fit, or the data set does not fit the format that is asked for. */
export class ExportImpossible extends Schema.TaggedError<ExportImpossible>()("ExportImpossible", {
  file: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `${this.file}: ${this.reason}`
  }
}

export type PlannedRow = Readonly<Record<string, unknown>>

/** Columns that are added: the step that asks the row, from 1, and its place in the batch, from 0. */
export const planColumns = ["gradus_batch", "gradus_position"] as const

/**
 * Puts rows in the order of a plan; a row that several batches ask is there several times, and one that none asks is left out. `ids` are parallel
 * to the rows. Fails with `ExportImpossible` for a question that the rows lack, and where a column has the name of one that is added.
 */
export const reorder = Effect.fnUntraced(function* (
  rows: ReadonlyArray<Row>,
  ids: ReadonlyArray<string>,
  batches: ReadonlyArray<PlannedBatch>,
  file: string
): Effect.fn.Return<ReadonlyArray<PlannedRow>, ExportImpossible> {
  const byId = new Map(ids.map((id, i) => [id, rows[i]]))
  const taken = planColumns.find((name) => rows.some((row) => Object.hasOwn(row.values, name)))
  if (taken !== undefined) return yield* new ExportImpossible({ file, reason: `it has a column ${taken} already` })
  const out: Array<PlannedRow> = []
  for (const { batch, questions } of batches) {
    for (const [position, id] of questions.entries()) {
      const row = byId.get(id)
      if (row === undefined)
        return yield* new ExportImpossible({ file, reason: `question ${id} of the plan is not in it` })
      out.push({ ...row.values, gradus_batch: batch, gradus_position: position })
    }
  }
  return out
})

/** Writes rows as JSONL. */
export const toJsonLines = (rows: ReadonlyArray<PlannedRow>): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join("")

const elementOf = (value: unknown): "utf8" | "int32" | "double" | "boolean" | undefined => {
  if (typeof value === "string") return "utf8"
  if (typeof value === "boolean") return "boolean"
  if (typeof value !== "number") return undefined
  return Number.isInteger(value) && (value | 0) === value ? "int32" : "double"
}

/** Finds the narrowest type that holds all values: whole numbers and fractions together are doubles. */
const typeOf = (values: ReadonlyArray<unknown>): ColumnType | undefined => {
  const present = values.filter((value) => value !== null)
  const lists = present.length > 0 && present.every(Array.isArray)
  const elements = lists ? (present as ReadonlyArray<ReadonlyArray<unknown>>).flat() : present
  const types = new Set(elements.map(elementOf))
  if (types.size === 0) return "utf8"
  if (types.size === 2 && types.has("int32") && types.has("double")) return lists ? "list<double>" : "double"
  const [only] = types
  if (types.size > 1 || only === undefined) return undefined
  return lists ? `list<${only}>` : only
}

/**
 * Encodes rows as flat Parquet. Fails with `ExportImpossible` for a column of mixed or nested values, which it names: JSONL holds these.
 */
export const toParquet = Effect.fnUntraced(function* (
  rows: ReadonlyArray<PlannedRow>,
  file: string
): Effect.fn.Return<Uint8Array, ExportImpossible> {
  const names = new Set(rows.flatMap((row) => Object.keys(row)))
  const columns: Array<Column> = []
  for (const name of names) {
    const values = rows.map((row) => row[name] ?? null)
    const type = typeOf(values)
    if (type === undefined) {
      const reason = `column ${name} holds nested or mixed values, which flat Parquet cannot: write JSONL`
      return yield* new ExportImpossible({ file, reason })
    }
    columns.push({ name, type, values, nullable: values.includes(null) })
  }
  if (columns.length === 0) return yield* new ExportImpossible({ file, reason: "the plan has no batch to write" })
  return yield* encodeTable(columns)
})
