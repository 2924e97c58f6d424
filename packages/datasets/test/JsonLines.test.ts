import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { parseJsonLines } from "../src/JsonLines.ts"

const failing = (text: string) => Effect.flip(parseJsonLines(text, "f.jsonl"))

describe("JSON lines", () => {
  it.effect(
    "are read with their line numbers, blank lines passed over, with any line break and a byte order mark",
    () =>
      Effect.gen(function* () {
        const rows = yield* parseJsonLines('\uFEFF{"a":1}\r\n\n{"a":"\u2028"}', "f.jsonl")
        assert.deepStrictEqual(rows, [
          { row: 1, values: { a: 1 } },
          { row: 3, values: { a: "\u2028" } }
        ])
      })
  )

  it.effect("stop at the limit, before a bad line", () =>
    Effect.gen(function* () {
      assert.lengthOf(yield* parseJsonLines('{"a":1}\n{"a":2}\n{bad', "f.jsonl", 2), 2)
    })
  )

  it.effect.each([
    ['{"a":1}\n{"a" 2}\n{"a":3}\n', 2, /^f.jsonl, row 2: not JSON: /],
    ['{"a":1}\n{"a":2}\n{"a":', 3, /row 3: the file ends within this row/],
    ['{"a":1}\n{"a": NaN}\n', 2, /row 2: NaN and Infinity are not JSON/],
    ['{"a":1}\n{"a": [1, -Infinity]}\n', 2, /NaN and Infinity are not JSON/],
    ['{"a":1}\n[1,2]\n', 2, /row 2: not an object/],
    ["null\n", 1, /row 1: not an object/]
  ] as const)("name the row that is wrong: %j", ([text, row, message]) =>
    Effect.gen(function* () {
      const error = yield* failing(text)
      assert.deepInclude(error, { _tag: "DatasetRowInvalid", row })
      assert.match(error.message, message)
    })
  )

  it.effect("without a row are unreadable", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* failing("\n \n")).message, "f.jsonl: the file has no rows")
    })
  )
})
