/** Rows of a flat schema as a Parquet table: the columns are derived from the schema, so that what is stored is what is declared. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TableUnreadable } from "./DatasetErrors.ts"
import { decodeTable, type ElementType, encodeTable, tableFormat } from "./Table.ts"

/** A schema of flat rows: text, whole numbers (32 bits), finite numbers, booleans, and null beside any of them. */
export type FlatSchema<Row> = Schema.Codec<Row, Readonly<Record<string, unknown>>>

interface Shape {
  readonly name: string
  readonly type: ElementType
  readonly nullable: boolean
}

interface JsonSchema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly anyOf?: ReadonlyArray<JsonSchema>
}

const elementTypes: Readonly<Record<string, ElementType>> = {
  string: "utf8",
  integer: "int32",
  number: "double",
  boolean: "boolean"
}

const shapeOf = (name: string, schema: JsonSchema): Shape => {
  const members = schema.anyOf ?? [schema]
  const types = new Set(members.map((member) => member.type).filter((type) => type !== "null"))
  const [only] = types
  const type = types.size === 1 ? elementTypes[only ?? ""] : undefined
  if (type === undefined) throw new TypeError(`column ${name} is not flat: ${JSON.stringify(schema)}`)
  return { name, type, nullable: members.some((member) => member.type === "null") }
}

/** Derives the columns of a schema, in its order. A schema that is not flat, or has keys that may be absent, is a defect. */
export const shapesOf = (schema: Schema.Top): ReadonlyArray<Shape> => {
  const document = Schema.toJsonSchemaDocument(schema).schema as JsonSchema
  return Object.entries(document.properties ?? {}).map(([name, property]) => shapeOf(name, property))
}

/** Encodes rows as a table with the columns of their schema; equal rows give equal bytes. */
export const encodeRows = <Row>(schema: FlatSchema<Row>, rows: ReadonlyArray<Row>): Effect.Effect<Uint8Array> =>
  Schema.encodeEffect(Schema.Array(schema))(rows).pipe(
    // A row that is not of its own schema is a bug of the caller.
    Effect.orDie,
    Effect.flatMap((encoded) =>
      encodeTable(shapesOf(schema).map((shape) => ({ ...shape, values: encoded.map((row) => row[shape.name]) })))
    )
  )

/** Decodes rows through their schema. Fails with `TableUnreadable` for bytes that are no table, another format, or a row that the schema refuses. */
export const decodeRows = Effect.fnUntraced(function* <Row>(
  schema: FlatSchema<Row>,
  bytes: Uint8Array,
  table = "table"
): Effect.fn.Return<ReadonlyArray<Row>, TableUnreadable> {
  const { format, rows } = yield* decodeTable(bytes, table)
  if (format !== tableFormat) {
    const reason = `format ${format ?? "unknown"}; this version reads ${tableFormat}`
    return yield* new TableUnreadable({ table, reason })
  }
  return yield* Schema.decodeEffect(Schema.Array(schema))(rows).pipe(
    Effect.mapError((error) => new TableUnreadable({ table, reason: error.message }))
  )
})
