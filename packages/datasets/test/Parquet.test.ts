import { assert, describe, it } from "@effect/vitest"
import * as Digest from "@gradus/domain/Digest"
import { PlannedBatch } from "@gradus/domain/Plan"
import { FilterRow, ProfileRow } from "@gradus/domain/Profile"
import { RolloutRow } from "@gradus/domain/RunRecord"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import { parquetMetadata } from "hyparquet"
import { decodeRows, encodeRows, type FlatSchema, shapesOf } from "../src/Parquet.ts"
import { decodePlan, encodePlan } from "../src/PlanTable.ts"
import { decodeTable, encodeTable } from "../src/Table.ts"

/** Whole numbers are stored in 32 bits: the arbitrary ones are cut to that, as all counts of the domain are. */
const cut = <Row>(schema: FlatSchema<Row>, row: Row): Row => {
  const whole = new Set(shapesOf(schema).flatMap(({ name, type }) => (type === "int32" ? [name] : [])))
  const entries = Object.entries(row as object).map(([name, value]) => [
    name,
    whole.has(name) && typeof value === "number" ? value | 0 : value
  ])
  return Object.fromEntries(entries) as Row
}

const wellFormed = (value: unknown): boolean =>
  typeof value === "string"
    ? value.isWellFormed()
    : typeof value !== "object" || value === null || Object.values(value).every(wellFormed)

const roundTrip = <Row>(name: string, schema: FlatSchema<Row>): void =>
  it.effect.prop(
    `${name} read back equal, and equal rows give equal bytes`,
    [Arbitrary.schema(Schema.Array(schema)).pipe(Arbitrary.filter(wellFormed))],
    ([arbitrary]) =>
      Effect.gen(function* () {
        const rows = arbitrary.map((row) => cut(schema, row))
        const bytes = yield* encodeRows(schema, rows)
        assert.isTrue(Equal.equals(yield* decodeRows(schema, bytes), rows))
        assert.strictEqual(Digest.ofBytes(yield* encodeRows(schema, rows)), Digest.ofBytes(bytes))
      })
  )

describe("rows as Parquet", () => {
  roundTrip("profile rows", ProfileRow)
  roundTrip("filter rows", FilterRow)
  roundTrip("rollout rows", RolloutRow)

  it.effect("have flat columns of 32-bit integers, doubles, texts and booleans, and say their format", () =>
    Effect.gen(function* () {
      const metadata = parquetMetadata(new Uint8Array(yield* encodeRows(FilterRow, [])).buffer)
      assert.deepStrictEqual(
        metadata.schema
          .slice(1)
          .map(({ converted_type, name, repetition_type, type }) => [name, converted_type ?? type, repetition_type]),
        [
          ["question_id", "UTF8", "REQUIRED"],
          ["passed", "INT32", "REQUIRED"],
          ["scored", "INT32", "REQUIRED"],
          ["rate", "DOUBLE", "OPTIONAL"],
          ["kept", "BOOLEAN", "REQUIRED"],
          ["reason", "UTF8", "OPTIONAL"]
        ]
      )
      assert.deepStrictEqual(metadata.key_value_metadata, [{ key: "format", value: "1" }])
    })
  )

  it.effect("of 20,000 rows, more than one row group, read back equal", () =>
    Effect.gen(function* () {
      const rows = Array.from({ length: 20_000 }, (_, i) => ({
        question_id: `q${i}`,
        passed: i % 9,
        scored: 8,
        rate: i % 3 === 0 ? null : (i % 9) / 8,
        kept: i % 2 === 0,
        reason: i % 2 === 0 ? null : ("too_easy" as const)
      }))
      assert.deepStrictEqual(yield* decodeRows(FilterRow, yield* encodeRows(FilterRow, rows)), rows)
    })
  )

  it.effect("are refused where the bytes are none, of another format, or of another schema", () =>
    Effect.gen(function* () {
      const refused = (bytes: Uint8Array) =>
        Effect.map(Effect.flip(decodeRows(FilterRow, bytes, "filter.parquet")), (error) => error.message)
      const good = yield* encodeRows(FilterRow, [])
      assert.match(yield* refused(new Uint8Array(3)), /^filter.parquet: not readable as Parquet/)
      assert.match(yield* refused(good.slice(0, -9)), /not readable as Parquet/)
      const { parquetWriteBuffer } = yield* Effect.promise(() => import("hyparquet-writer"))
      const foreign = new Uint8Array(parquetWriteBuffer({ columnData: [{ name: "x", data: [1], type: "INT32" }] }))
      assert.strictEqual(yield* refused(foreign), "filter.parquet: format unknown; this version reads 1")
      const other = yield* encodeTable([{ name: "x", type: "int32", values: [1], nullable: false }])
      assert.match(yield* refused(other), /question_id/)
    })
  )
})

describe("plans as Parquet", () => {
  const batches = [
    { batch: 1, questions: ["b", "a"], targetMean: 0.5, achievedMean: 0.25, fill: 1 },
    { batch: 2, questions: ["c"], targetMean: null, achievedMean: 0, fill: 0 }
  ]

  it.effect("have a row a question, in the order in which they are asked", () =>
    Effect.gen(function* () {
      const { rows } = yield* decodeTable(yield* encodePlan(batches))
      assert.deepStrictEqual(
        rows.map(({ batch, position, question_id }) => [batch, position, question_id]),
        [
          [1, 0, "b"],
          [1, 1, "a"],
          [2, 0, "c"]
        ]
      )
      assert.deepStrictEqual(rows[2]?.["targetMean"], null)
    })
  )

  it.effect("read back equal, also without a batch", () =>
    Effect.gen(function* () {
      const back = yield* decodePlan(yield* encodePlan(batches))
      assert.deepStrictEqual(back, batches)
      assert.isTrue(Schema.is(Schema.Array(PlannedBatch))(back))
      assert.deepStrictEqual(yield* decodePlan(yield* encodePlan([])), [])
    })
  )
})

describe("tables", () => {
  it.effect("hold lists, empty and absent ones too", () =>
    Effect.gen(function* () {
      const values = [["a", "b"], [], null, ["c"]]
      const bytes = yield* encodeTable([
        { name: "names", type: "list<utf8>", values, nullable: true },
        { name: "ids", type: "list<int32>", values: [[1], [2, 3], [], [4]], nullable: false },
        { name: "row", type: "int32", values: [1, 2, 3, 4], nullable: false }
      ])
      const { format, rows } = yield* decodeTable(bytes)
      assert.strictEqual(format, 1)
      assert.deepStrictEqual(
        rows.map(({ names }) => names),
        values
      )
      assert.deepStrictEqual(
        rows.map(({ ids }) => ids),
        [[1], [2, 3], [], [4]]
      )
    })
  )

  it.effect("refuse what does not fit a column, by row", () =>
    Effect.gen(function* () {
      const message = (values: ReadonlyArray<unknown>) =>
        encodeTable([{ name: "x", type: "int32", values, nullable: false }]).pipe(
          Effect.as("encoded"),
          Effect.catchDefect((defect) => Effect.succeed(String(defect)))
        )
      assert.strictEqual(yield* message([1, 2 ** 31]), "RangeError: column x, row 2: not int32: 2147483648")
      assert.strictEqual(yield* message([null]), "RangeError: column x, row 1: not int32: null")
      assert.strictEqual(yield* message([-(2 ** 31)]), "encoded")
    })
  )

  it.effect("of others: 64-bit integers become numbers where they are exact", () =>
    Effect.gen(function* () {
      const { parquetWriteBuffer } = yield* Effect.promise(() => import("hyparquet-writer"))
      const data = [1n, 2n ** 53n]
      const bytes = new Uint8Array(parquetWriteBuffer({ columnData: [{ name: "x", data, type: "INT64" }] }))
      const { format, rows } = yield* decodeTable(bytes)
      assert.strictEqual(format, null)
      assert.deepStrictEqual(
        rows.map(({ x }) => x),
        [1, 2n ** 53n]
      )
      assert.lengthOf((yield* decodeTable(bytes, "t", 1)).rows, 1)
    })
  )
})
