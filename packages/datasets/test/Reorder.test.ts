import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { parseJsonLines } from "../src/JsonLines.ts"
import { planOrder, toJsonLines, toParquet } from "../src/Reorder.ts"
import type { Row } from "../src/Row.ts"
import { decodeTable } from "../src/Table.ts"

const rows: ReadonlyArray<Row> = [
  { id: "a", n: 1, x: 0.5, tags: ["p", "q"], ok: true },
  { id: "b", n: 2, x: 1, tags: [], ok: false },
  { id: "c", n: 3, x: null, tags: ["r"], ok: true }
].map((values, i) => ({ row: i + 1, values }))
const ids = ["a", "b", "c"]
const batchOf = (batch: number, questions: ReadonlyArray<string>) => ({
  batch,
  questions,
  targetMean: null,
  achievedMean: 0,
  fill: 0
})
const plan = [batchOf(1, ["c", "a"]), batchOf(2, ["a"])]

describe("a data set in the order of a plan", () => {
  it.effect("has a row for each place of each batch, with the batch and the place", () =>
    Effect.gen(function* () {
      const { columns, rows: order } = yield* planOrder(ids, plan, "f")
      assert.deepStrictEqual(order, [2, 0, 0])
      assert.deepStrictEqual(
        columns.map(({ name, values }) => [name, values]),
        [
          ["gradus_batch", [1, 1, 2]],
          ["gradus_position", [0, 1, 0]]
        ]
      )
    })
  )

  it.effect("is refused where the two do not fit, by name", () =>
    Effect.gen(function* () {
      const missing = yield* Effect.flip(planOrder(ids, [batchOf(1, ["z"])], "f"))
      assert.strictEqual(missing.message, "f: question z of the plan is not in it")
    })
  )
})

describe("rows of any kind", () => {
  it.effect("are written as JSONL and as Parquet, and read back equal", () =>
    Effect.gen(function* () {
      const values = rows.map((row) => row.values)
      const lines = yield* parseJsonLines(toJsonLines(values), "f")
      assert.deepStrictEqual(
        lines.map((row) => row.values),
        values
      )
      assert.deepStrictEqual((yield* decodeTable(yield* toParquet(values, "f"))).rows, values)
    })
  )

  it("keep all digits of whole numbers that no double holds", () =>
    assert.strictEqual(toJsonLines([{ large: 2n ** 60n + 1n, in: [1n] }]), '{"large":1152921504606846977,"in":[1]}\n'))

  it.effect("names the column that flat Parquet cannot hold", () =>
    Effect.gen(function* () {
      const nested = yield* Effect.flip(toParquet([{ prompt: [{ role: "user" }] }], "f"))
      assert.strictEqual(
        nested.message,
        "f: column prompt holds nested or mixed values, which flat Parquet cannot: write JSONL, leave the column out, or give the rows as Parquet, whose nested columns are kept"
      )
      assert.include((yield* Effect.flip(toParquet([{ x: 1 }, { x: "1" }], "f"))).message, "column x")
      assert.include((yield* Effect.flip(toParquet([], "f"))).message, "no row")
    })
  )
})
