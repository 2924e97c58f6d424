/** Laws of the distance, and what counts as near. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { distance, nearest } from "../src/Suggest.ts"

const Word = Schema.String.check(Schema.isMaxLength(8))

describe("distance", () => {
  it.prop("is a symmetric count of edits, zero for equals only", [Word, Word], ([a, b]) => {
    const d = distance(a, b)
    return (
      d === distance(b, a) &&
      (d === 0) === (a === b) &&
      d >= Math.abs(a.length - b.length) &&
      d <= Math.max(a.length, b.length)
    )
  })
  it.each([
    ["kitten", "sitting", 3],
    ["ab", "ba", 1],
    ["treshold", "threshold", 1],
    ["ca", "abc", 3],
    ["", "abc", 3]
  ] as const)("%s to %s is %d", (a, b, edits) => assert.strictEqual(distance(a, b), edits))
})

describe("nearest", () => {
  const keys = ["steps", "samples_per_prompt", "prompts_per_step", "loss"]
  it.each([
    ["step", "steps"],
    ["Steps", "steps"],
    ["sampels_per_prompt", "samples_per_prompt"],
    ["lsos", "loss"],
    ["temperature", undefined],
    ["x", undefined],
    ["s".repeat(100_000), undefined]
  ] as const)("of %s is %s", (written, found) => assert.strictEqual(nearest(written, keys), found))
})
