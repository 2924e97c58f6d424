import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { choice, optionOf } from "../src/accuracy/Choice.ts"

describe("optionOf", () => {
  it.each([
    ["B", "B"],
    ["(b)", "B"],
    ["B.", "B"],
    ["**B**", "B"],
    ["$B$", "B"],
    [String.raw`\text{(B)}`, "B"],
    ["B) because of that", "B"],
    ["**B.** The second", "B"],
    ["Option C", "C"],
    ["answer: D", "D"],
    ["B: a text", "B"],
    ["(B) (as said)", "B"],
    ["C. A", "C"]
  ])("of %j is %s", (text, letter) => assert.strictEqual(optionOf(text), letter))

  it.each([
    "",
    "Bad",
    "A cat",
    "B because",
    "(A) or (B)",
    "A, B",
    "A/B",
    "A; B",
    "A) B)",
    "(A) (B) (C) (D)",
    "**A**, **B**",
    "42",
    "?"
  ])("of %j is none", (text) => assert.isNull(optionOf(text)))
})

describe("choice accuracy", () => {
  it("compares letters", () => {
    assert.deepStrictEqual(choice("(b) it is", "B"), { kind: "scored", value: 1 })
    assert.deepStrictEqual(choice("C", "B"), { kind: "scored", value: 0 })
    assert.deepStrictEqual(choice(null, "B"), { kind: "scored", value: 0 })
    assert.deepStrictEqual(choice("A or B", "B"), { kind: "scored", value: 0 })
    assert.deepStrictEqual(choice("B", "the second"), { kind: "unscored", reason: "gold_unreadable" })
  })

  it.prop("never crashes", [Schema.String], ([text]) => {
    assert.strictEqual(choice(text, "A").kind, "scored")
  })
})
