/** Updates as bytes: one Arrow IPC stream each (docs/trainer-protocol.md, "An update"). Equal updates have equal bytes, and so equal digests. */
import * as Digest from "@gradus/domain/Digest"
import { COLUMN, FORMAT, METADATA_KEY, NORMALISER } from "@gradus/domain/TrainerWire"
import type { UpdateBatch, UpdateHeader, UpdateRow } from "@gradus/domain/UpdateBatch"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as ArrowColumn from "./ArrowColumn.ts"
import * as ArrowStream from "./ArrowStream.ts"

/** An update as it is sent and stored. */
export interface EncodedUpdate {
  /** Its number in the run, from 1. */
  readonly update: number
  readonly header: UpdateHeader
  readonly bytes: Uint8Array
  /** SHA-256 of `bytes`: with the number it is the update's identity. */
  readonly digest: Digest.Digest
}

/** Reports bytes that are not an update. */
export class UpdateUnreadable extends Schema.TaggedError<UpdateUnreadable>()("UpdateUnreadable", {
  reason: Schema.String
}) {
  override get message() {
    return `these bytes are not an update: ${this.reason}`
  }
}

const Importance = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("none") }),
  Schema.Struct({ kind: Schema.Literal("truncate"), cap: Schema.Finite }),
  Schema.Struct({ kind: Schema.Literals(["icepop", "sequence_mask"]), low: Schema.Finite, high: Schema.Finite })
])

const Header = Schema.fromJsonString(
  Schema.Struct({
    format: Schema.Literal(FORMAT),
    run: Schema.String,
    update: Schema.Int,
    parent_version: Schema.Int,
    learning_rate: Schema.Finite,
    loss: Schema.Union([
      Schema.Struct({ kind: Schema.Literal("cross_entropy") }),
      Schema.Struct({
        kind: Schema.Literals(["clipped", "cispo", "gspo"]),
        clip_low: Schema.Finite,
        clip_high: Schema.Finite,
        kl_coef: Schema.Finite,
        entropy_coef: Schema.optionalKey(Schema.Finite),
        importance: Schema.optionalKey(Importance)
      })
    ]),
    normaliser: Schema.Literals(NORMALISER),
    denominator: Schema.Finite
  })
)

const NAMES = Object.keys(COLUMN) as ReadonlyArray<keyof typeof COLUMN>
const TYPES = Object.fromEntries(NAMES.map((name) => [name, COLUMN[name].type])) as {
  readonly [Name in keyof typeof COLUMN]: ArrowColumn.ColumnType
}

const valuesOf = (rows: ReadonlyArray<UpdateRow>, name: keyof typeof COLUMN): ReadonlyArray<unknown> | undefined => {
  const present = COLUMN[name].required || rows[0]?.[name] !== undefined
  const values = rows.map((row) => row[name])
  const odd = values.findIndex((value) => (value !== undefined) !== present)
  if (odd >= 0) throw new TypeError(`row ${odd} ${present ? "lacks" : "has"} ${name}, unlike the rows before it`)
  return present ? values : undefined
}

/**
 * Encodes an update. A column is there when the first row has it; then all rows must have it, and else none.
 * Throws a TypeError for uneven rows and a RangeError for integers outside of the column's type: both are defects of the caller.
 * Floats are rounded to float32.
 */
export const encodeUpdate = (batch: UpdateBatch): EncodedUpdate => {
  const columns = NAMES.flatMap((name) => {
    const values = valuesOf(batch.rows, name)
    return values === undefined ? [] : [[name, ArrowColumn.make(TYPES[name], values)] as const]
  })
  const header = Digest.canonicalJson({ format: FORMAT, ...batch.header })
  const bytes = ArrowStream.write(columns, new Map([[METADATA_KEY, header]]))
  return { update: batch.header.update, header: batch.header, bytes, digest: Digest.ofBytes(bytes) }
}

const requireColumns = (contents: ArrowStream.Contents): ArrowStream.Contents => {
  const missing = NAMES.find((name) => COLUMN[name].required && !contents.columns.has(name))
  if (missing !== undefined) throw new TypeError(`column ${missing} is missing`)
  return contents
}

const rowsOf = (contents: ArrowStream.Contents): ReadonlyArray<UpdateRow> => {
  const columns = [...contents.columns]
  return Array.from(
    { length: contents.length },
    // every column was checked by name and type when the stream was read
    (_, row) => Object.fromEntries(columns.map(([name, values]) => [name, values[row]])) as unknown as UpdateRow
  )
}

/** Decodes an update that `encodeUpdate` or any other writer of the protocol made; column types and metadata are checked, values are not. */
export const decodeUpdate: (bytes: Uint8Array) => Effect.Effect<UpdateBatch, UpdateUnreadable> = Effect.fnUntraced(
  function* (bytes) {
    const contents = yield* Effect.try({
      try: () => requireColumns(ArrowStream.read(bytes, TYPES)),
      catch: (cause) => new UpdateUnreadable({ reason: String(cause) })
    })
    const { format: _, ...header } = yield* Schema.decodeUnknownEffect(Header)(
      contents.metadata.get(METADATA_KEY)
    ).pipe(Effect.mapError((error) => new UpdateUnreadable({ reason: `metadata: ${error.message}` })))
    return { header, rows: rowsOf(contents) }
  }
)
