/** Pass rates brought along: every kind, every way in which a cell can be wrong, and real columns. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import { parseJsonLines } from "../src/JsonLines.ts"
import { type PassRateColumns, passRates } from "../src/PassRates.ts"
import { passRateKinds, readCount } from "../src/PassRateKinds.ts"
import type { Row } from "../src/Row.ts"

const rowsOf = (...values: ReadonlyArray<Record<string, unknown>>): ReadonlyArray<Row> =>
  values.map((each, i) => ({ row: i + 1, values: each }))
const one = (columns: Partial<PassRateColumns>, value: unknown, more: Record<string, unknown> = {}) =>
  passRates(rowsOf({ id: "a", p: value, ...more }), "f", { column: "p", kind: "rate", ...columns })

describe("a pass-rate column", () => {
  it.effect.each([
    ["rate", 0.375, 8, 3],
    ["rate", "0.375", 8, 3],
    ["rate", 1 / 3, 3, 1],
    ["rate", 0, 64, 0],
    ["rate", 1, 64, 64],
    ["percent", 37.5, 8, 3],
    ["passed_count", 3, 8, 3],
    ["passed_count", "3", 8, 3],
    ["failed_count", 3, 8, 5],
    ["difficulty_0_100", 75, 8, 2],
    ["difficulty_0_100", 100 * (1 - 37 / 128), 128, 37]
  ] as const)("of kind %s: %j of %i samples is %i passes", ([kind, value, n, passed]) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* one({ kind, n }, value), [{ question_id: "a", passed, scored: n }])
    })
  )

  it.effect("of fractions and lists says its samples itself; null entries count neither way", () =>
    Effect.gen(function* () {
      assert.deepInclude((yield* one({ kind: "fraction" }, "5/8"))[0], { passed: 5, scored: 8 })
      assert.deepInclude((yield* one({ kind: "fraction", n: 8 }, " 0 / 8 "))[0], { passed: 0, scored: 8 })
      assert.deepInclude((yield* one({ kind: "booleans" }, [true, false, null, 1, 0]))[0], { passed: 2, scored: 4 })
      assert.deepInclude((yield* one({ kind: "booleans" }, []))[0], { passed: 0, scored: 0 })
    })
  )

  it.effect("may have its samples in a column of their own", () =>
    Effect.gen(function* () {
      const columns = { kind: "passed_count", n: { column: "total" } } as const
      assert.deepInclude((yield* one(columns, 3, { total: 5 }))[0], { passed: 3, scored: 5 })
      const wrong = yield* Effect.flip(one(columns, 3, { total: 0 }))
      assert.include(wrong.message, 'f, row 1, column "total"')
    })
  )

  it.effect.each([
    ["rate", 8, 41, "a number from 0 to 1 is needed, and it is 41; is the column of another kind, such as percent?"],
    ["rate", 8, -0.1, "a number from 0 to 1 is needed, and it is -0.1"],
    ["rate", 8, NaN, "a number is needed, and it is NaN"],
    ["rate", 8, "n/a", 'a number is needed, and it is "n/a"'],
    ["rate", 8, null, "a number is needed, and it is null"],
    ["rate", 8, 0.41, "0.41 is 3.28 of 8 samples, which is no whole number: is n right?"],
    ["rate", undefined, 0.5, "a column of kind rate does not say of how many samples: n is needed"],
    ["rate", 2.5, 0.5, "n is a whole number of at least 1, and it is 2.5"],
    ["percent", 8, 101, "a number from 0 to 100 is needed, and it is 101"],
    ["difficulty_0_100", 8, true, "a number is needed, and it is true"],
    ["passed_count", 8, 9, "a number from 0 to 8 is needed, and it is 9"],
    ["passed_count", 8, 2.5, "a whole number is needed, and it is 2.5"],
    ["failed_count", 8, -1, "a number from 0 to 8 is needed, and it is -1"],
    ["fraction", 8, "3/16", '"3/16" is not of 8 samples'],
    ["fraction", undefined, "9/8", '"9/8" is no share of samples'],
    ["fraction", undefined, "0/0", '"0/0" is no share of samples'],
    ["fraction", undefined, 0.5, 'a text such as "3/8" is needed, and it is 0.5'],
    ["booleans", undefined, [true, "yes"], 'true, false or null is needed, and entry 2 is "yes"'],
    ["booleans", 3, [true], "3 entries are needed, and there are 1"],
    ["booleans", undefined, true, "a list of true and false is needed, and it is true"]
  ] as const)("of kind %s with n %j refuses %j by row and column", ([kind, n, value, reason]) =>
    Effect.gen(function* () {
      const rows = rowsOf({ id: "good", p: kind === "fraction" ? "1/8" : kind === "booleans" ? [true, true, true] : 0 })
      const both = [...rows, { row: 2, values: { id: "bad", p: value } }]
      const columns = { column: "p", kind, ...(n === undefined ? {} : { n }) }
      const good = n === undefined && kind === "rate" ? both.slice(1) : n === 2.5 ? both.slice(1) : both
      const error = yield* Effect.flip(passRates(good, "f", columns))
      assert.strictEqual(error.message, `f, row 2, column "p": ${reason}`)
    })
  )

  it.effect("takes rounded rates to the nearest, and empty cells for unscored, only where that is said", () =>
    Effect.gen(function* () {
      assert.deepInclude((yield* one({ n: 64, rounding: "nearest" }, 0.33))[0], { passed: 21, scored: 64 })
      const columns = { column: "p", kind: "rate", n: 8, missing: "unscored" } as const
      const rows = rowsOf({ id: "a", p: null }, { id: "b", p: "" }, { id: "c", p: 0.5 })
      assert.deepStrictEqual(yield* passRates(rows, "f", columns), [
        { question_id: "a", passed: 0, scored: 0 },
        { question_id: "b", passed: 0, scored: 0 },
        { question_id: "c", passed: 4, scored: 8 }
      ])
      const absent = yield* Effect.flip(passRates(rowsOf({ id: "a" }), "f", columns))
      assert.strictEqual(absent.message, 'f, row 1, column "p": no such column; the row has: id')
    })
  )

  it.effect("names questions by question_id, id, or row, and refuses an id that comes twice", () =>
    Effect.gen(function* () {
      const columns = { column: "p", kind: "passed_count", n: 8 } as const
      const [named] = yield* passRates(rowsOf({ id: "a", question_id: "q", p: 1, d: "x" }), "f", {
        ...columns,
        domain: "d"
      })
      assert.deepStrictEqual(named, { question_id: "q", passed: 1, scored: 8, domain: "x" })
      assert.strictEqual((yield* passRates(rowsOf({ p: 1 }), "f", columns))[0]?.question_id, "row-000001")
      const twice = yield* Effect.flip(passRates(rowsOf({ id: "a", p: 1 }, { id: "a", p: 2 }), "f", columns))
      assert.strictEqual(twice.message, 'f, row 2, column "id": id "a" is already that of row 1')
    })
  )

  it("of every kind reads the same counts that it would have been written from", () => {
    const write: Record<(typeof passRateKinds)[number], (passed: number, n: number) => unknown> = {
      rate: (k, n) => k / n,
      percent: (k, n) => (100 * k) / n,
      fraction: (k, n) => `${k}/${n}`,
      passed_count: (k) => k,
      failed_count: (k, n) => n - k,
      booleans: (k, n) => Array.from({ length: n }, (_, i) => i < k),
      difficulty_0_100: (k, n) => 100 * (1 - k / n)
    }
    for (const kind of passRateKinds) {
      for (const n of [1, 3, 8, 64, 128]) {
        for (let k = 0; k <= n; k++) {
          assert.deepStrictEqual(readCount(kind, write[kind](k, n), n, "refuse"), { passed: k, scored: n })
        }
      }
    }
  })
})

const real = new URL("../../../../shared/data/passrate/gsm8k_test_x4_pass.jsonl", import.meta.url)
describe(`the pass rates of four published answer files${existsSync(real) ? "" : " (absent here: their shape only)"}`, () => {
  it.effect("are read as rates of 4", () =>
    Effect.gen(function* () {
      const text = existsSync(real)
        ? readFileSync(real, "utf8")
        : '{"idx":0,"pass_rate":0.25}\n{"idx":1,"pass_rate":1}\n'
      const rows = yield* parseJsonLines(text, "passes.jsonl")
      const rated = yield* passRates(rows, "passes.jsonl", { column: "pass_rate", kind: "rate", n: 4, id: "idx" })
      assert.strictEqual(rated.length, rows.length)
      assert.isTrue(rated.every(({ passed, scored }) => scored === 4 && passed >= 0 && passed <= 4))
      rated.forEach(({ passed }, i) => assert.strictEqual(passed / 4, rows[i]?.values["pass_rate"]))
    })
  )
})
