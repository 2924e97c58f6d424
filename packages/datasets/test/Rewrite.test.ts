/** Files of other writers (pyarrow) written again, and read by it. */
import { assert, describe, it } from "@effect/vitest"
import { inTrainerPython } from "@gradus/testing/TrainerPython"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import * as Effect from "effect/Effect"
import { pickLines, rewriteParquet } from "../src/Rewrite.ts"

const directory = mkdtempSync(join(tmpdir(), "gradus-rewrite-"))
afterAll(() => rmSync(directory, { recursive: true }))

const inPython = (script: string): string => inTrainerPython(script, directory)

const input = (): Uint8Array => {
  inPython(`
import datetime, decimal
import pyarrow as pa, pyarrow.parquet as pq
rows = [{
    "prompt": [{"role": "user", "content": f"q{i} é"}], "reward_model": {"style": "rule", "ground_truth": str(i)},
    "extra_info": {"index": i, "tags": ["a", None] if i % 2 else None}, "large": 2**60 + i, "rate": None if i == 2 else i / 8,
    "when": datetime.datetime(2026, 1, 1, 0, 0, i, 123), "bytes": b"\\x00\\xff", "price": decimal.Decimal("1.25"), "day": datetime.date(2026, 1, 1),
} for i in range(6)]
pq.write_table(pa.Table.from_pylist(rows), "in.parquet")
`)
  return readFileSync(join(directory, "in.parquet"))
}

describe("rows of a Parquet file", () => {
  it.effect("are the same rows for pyarrow, nested columns and types and all", () =>
    Effect.gen(function* () {
      writeFileSync(join(directory, "out.parquet"), yield* rewriteParquet(input(), [4, 1, 1, 2], "in.parquet"))
      const script = `
import pyarrow.parquet as pq
a, b = pq.read_table("in.parquet").take([4, 1, 1, 2]), pq.read_table("out.parquet")
print(a.schema == b.schema, a.equals(b))`
      assert.strictEqual(inPython(script), "True True")
    })
  )

  it.effect("take columns beside their own", () =>
    Effect.gen(function* () {
      const added = [{ name: "gradus_batch", type: "int32" as const, values: [1, 2], nullable: false }]
      writeFileSync(join(directory, "more.parquet"), yield* rewriteParquet(input(), [5, 0], "in.parquet", added))
      const script = `
import pyarrow.parquet as pq
t = pq.read_table("more.parquet")
print(t["gradus_batch"].to_pylist(), t["gradus_batch"].type, t["prompt"][0].as_py(), t["large"].to_pylist()[0] - 2**60)`
      assert.strictEqual(inPython(script), "[1, 2] int32 [{'role': 'user', 'content': 'q5 é'}] 5")
      const twice = yield* Effect.flip(
        rewriteParquet(input(), [0], "in.parquet", [{ name: "rate", type: "double", values: [1], nullable: false }])
      )
      assert.strictEqual(twice.message, "in.parquet: it has a column rate already")
    })
  )

  it.effect("are refused where a value would change", () =>
    Effect.gen(function* () {
      inPython(`
import decimal
import pyarrow as pa, pyarrow.parquet as pq
pq.write_table(pa.table({"x": pa.array([decimal.Decimal("1.5")], pa.decimal128(30, 2))}), "wide.parquet")`)
      const error = yield* Effect.flip(
        rewriteParquet(readFileSync(join(directory, "wide.parquet")), [0], "wide.parquet")
      )
      assert.include(error.message, "column x holds decimals of 30 digits")
    })
  )
})

describe("lines of JSONL", () => {
  it("keep their text: numbers that no double holds, spaces, escapes", () => {
    const text = '\uFEFF{"a": 1.0}\r\n\n{"a":  12345678901234567890}\n{"a":"\\u00e9"}'
    assert.strictEqual(pickLines(text, [4, 1, 3]), '{"a":"\\u00e9"}\n{"a": 1.0}\n{"a":  12345678901234567890}\n')
  })
})
