import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { parseJsonLines } from "../src/JsonLines.ts"
import { reorder, toJsonLines, toParquet } from "../src/Reorder.ts"
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
  it.effect("has a row for each place of each batch, also as JSONL and as Parquet that is read back", () =>
    Effect.gen(function* () {
      const ordered = yield* reorder(rows, ids, plan, "f")
      const expected = [
        { ...rows[2]?.values, gradus_batch: 1, gradus_position: 0 },
        { ...rows[0]?.values, gradus_batch: 1, gradus_position: 1 },
        { ...rows[0]?.values, gradus_batch: 2, gradus_position: 0 }
      ]
      assert.deepStrictEqual(ordered, expected)
      const lines = yield* parseJsonLines(toJsonLines(ordered), "f")
      assert.deepStrictEqual(
        lines.map((row) => row.values),
        expected
      )
      const table = yield* decodeTable(yield* toParquet(ordered, "f"))
      assert.deepStrictEqual(table.rows, expected)
    })
  )

  it.effect("is refused where the two do not fit, by name", () =>
    Effect.gen(function* () {
      const missing = yield* Effect.flip(reorder(rows, ids, [batchOf(1, ["z"])], "f"))
      assert.strictEqual(missing.message, "f: question z of the plan is not in it")
      const twice = yield* Effect.flip(
        reorder([{ row: 1, values: { gradus_batch: 1 } }], ["a"], [batchOf(1, ["a"])], "f")
      )
      assert.include(twice.message, "column gradus_batch already")
    })
  )

  it.effect("names the column that flat Parquet cannot hold", () =>
    Effect.gen(function* () {
      const nested = yield* Effect.flip(toParquet([{ prompt: [{ role: "user" }] }], "f"))
      assert.strictEqual(
        nested.message,
        "f: column prompt holds nested or mixed values, which flat Parquet cannot: write JSONL"
      )
      assert.include((yield* Effect.flip(toParquet([{ x: 1 }, { x: "1" }], "f"))).message, "column x")
      assert.include((yield* Effect.flip(toParquet([], "f"))).message, "no batch")
    })
  )
})
