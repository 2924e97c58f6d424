import { assert, describe, it } from "@effect/vitest"
import { firstDifference } from "../src/Difference.ts"

describe("the first difference of two values", () => {
  it.each([
    [{ a: 1, b: [1, { c: 2 }] }, { a: 1, b: [1, { c: 2 }] }, undefined],
    [{ train: { steps: 5 } }, { train: { steps: 6 } }, "train.steps"],
    [{ a: [1, 2] }, { a: [1, 3] }, "a.1"],
    [{ a: 1 }, { a: 1, b: 2 }, "b"],
    [{ a: { x: 1 } }, { a: null }, "a"],
    [Number.NaN, Number.NaN, undefined]
  ])("of %j and %j is %s", (a, b, path) => {
    assert.strictEqual(firstDifference(a, b), path)
  })
})
