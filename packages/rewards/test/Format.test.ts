import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { formatScore } from "../src/Format.ts"

describe("format rule thinking, mode on", () => {
  const on = (completion: string) => formatScore("thinking", completion, "on")

  it("is kept by one thought and then an answer", () => {
    assert.strictEqual(on("<think>bdqz</think>bdqz"), 1)
    assert.strictEqual(on(" \n<think>\nlong\n</think>\n\nanswer"), 1)
  })

  it.each([
    ["no tag", "bdqz"],
    ["thought never closed", "<think>bdqz"],
    ["thought never opened", "a</think>bdqz"],
    ["tags in the wrong order", "</think>a<think>b"],
    ["two openings", "<think><think>a</think>b"],
    ["two closings", "<think>a</think>b</think>c"],
    ["two thoughts", "<think>a</think><think>b</think>c"],
    ["no answer", "<think>a</think>"],
    ["only white space for an answer", "<think>a</think> \n"],
    ["text before the thought", "so <think>a</think>b"],
    ["an empty thought", "<think></think>b"],
    ["other spelling", "<THINK>a</THINK>b"],
    ["nothing", ""]
  ])("is broken by %s", (_, completion) => {
    assert.strictEqual(on(completion), 0)
  })
})

describe("format rule thinking, mode off", () => {
  const off = (completion: string) => formatScore("thinking", completion, "off")

  it("is kept without tags and broken by either", () => {
    assert.strictEqual(off("bdqz"), 1)
    assert.strictEqual(off("<think>a</think>b"), 0)
    assert.strictEqual(off("<think>a"), 0)
    assert.strictEqual(off("a</think>"), 0)
  })

  it.prop("no completion keeps both modes", [Schema.String], ([text]) => {
    for (const completion of [text, `<think>${text}</think>${text}`, `${text}</think>`]) {
      assert.isBelow(off(completion)! + formatScore("thinking", completion, "on")!, 2)
    }
  })
})

it("format rule none gives no component", () => {
  assert.isUndefined(formatScore("none", "<think>", "on"))
})
