/** A data set in the order of a plan, for trainers that read a file from top to bottom, and rows as JSONL or as flat Parquet. */
import type { PlannedBatch } from "@gradus/domain/Plan"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
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

export type AnyRow = Readonly<Record<string, unknown>>

/** Columns that are added: the step that asks the row, from 1, and its place in the batch, from 0. */
const planColumns = ["gradus_batch", "gradus_position"] as const

export interface PlanOrder {
  /** Indices of rows, from 0, in the order of the plan: one that several batches ask is there several times, one that none asks is not. */
  readonly rows: ReadonlyArray<number>
  /** The columns that say where a row stands in the plan, parallel to `rows`. */
  readonly columns: ReadonlyArray<Column>
}

/** Puts the rows of a data set in the order of a plan; `ids` are the data set's, in its order. Fails with `ExportImpossible` for a question that it lacks. */
export const planOrder = (
  ids: ReadonlyArray<string>,
  batches: ReadonlyArray<PlannedBatch>,
  file: string
): Effect.Effect<PlanOrder, ExportImpossible> => {
  const rowOf = new Map(ids.map((id, row) => [id, row]))
  const rows: Array<number> = []
  const places: ReadonlyArray<Array<number>> = planColumns.map(() => [])
  for (const { batch, questions } of batches) {
    for (const [position, id] of questions.entries()) {
      const row = rowOf.get(id)
      if (row === undefined)
        return Effect.fail(new ExportImpossible({ file, reason: `question ${id} of the plan is not in it` }))
      rows.push(row)
      places[0]?.push(batch)
      places[1]?.push(position)
    }
  }
  const columns = planColumns.map((name, i): Column => ({
    name,
    type: "int32",
    values: places[i] ?? [],
    nullable: false
  }))
  return Effect.succeed({ rows, columns })
}

/** JSON of a value; whole numbers that no double holds keep all their digits. Node has `rawJSON`, the declarations of the language do not yet. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown }
const exact = (_: string, value: unknown): unknown => (typeof value === "bigint" ? rawJSON(String(value)) : value)

/** Writes rows as JSONL. */
export const toJsonLines = (rows: ReadonlyArray<AnyRow>): string =>
  rows.map((row) => `${JSON.stringify(row, exact)}\n`).join("")

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
  rows: ReadonlyArray<AnyRow>,
  file: string
): Effect.fn.Return<Uint8Array, ExportImpossible> {
  const names = new Set<string>()
  for (const row of rows) for (const name of Object.keys(row)) names.add(name)
  const columns: Array<Column> = []
  for (const name of names) {
    const values = rows.map((row) => row[name] ?? null)
    const type = typeOf(values)
    if (type === undefined) {
      const reason = `column ${name} holds nested or mixed values, which flat Parquet cannot: write JSONL, leave the column out, or give the rows as Parquet, whose nested columns are kept`
      return yield* new ExportImpossible({ file, reason })
    }
    columns.push({ name, type, values, nullable: values.includes(null) })
  }
  if (columns.length === 0)
    return yield* new ExportImpossible({ file, reason: "there is no row to write, and so no column" })
  return yield* encodeTable(columns)
})
