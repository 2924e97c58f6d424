import { assert, describe, it } from "@effect/vitest"
import { FormatRule } from "@gradus/domain/manifest/Rewards"
import * as Schema from "effect/Schema"
import { FORMAT_DEFAULTS, formatScore } from "../src/Format.ts"

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
    ["a thought of white space", "<think>\n\n</think>b"],
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

describe("named format rules", () => {
  it.each<readonly [FormatRule, string, number]>([
    ["think_strict_start", "<think></think>a", 1],
    ["think_strict_start", " <think>t</think>a", 0],
    ["think_strict_start", "<think>t</think> ", 0],
    ["think_strict_start", "<think>t</think>a<think>", 0],
    ["think_single_then_answer", "so <think>t</think>a", 1],
    ["think_single_then_answer", "<think>t</think>", 0],
    ["think_balance_with_prompt", "a<think>t</think>", 1],
    ["think_balance_with_prompt", "</think>t<think>", 0],
    ["think_answer", "<think>t</think>\n<answer>a</answer>", 1],
    ["think_answer", "<think>t</think> so <answer>a</answer>", 0],
    ["think_answer", "<think><answer>a</answer></think><answer>b</answer>", 0],
    ["think_answer", "<think>t</think><answer>a</answer>.", 0],
    ["think_answer_graded", "<answer>a</answer><think>t</think>", 1],
    ["think_answer_graded", "</think>t<think>", 0]
  ])("%s scores %j as %d", (rule, completion, expected) => {
    assert.strictEqual(formatScore(rule, completion, "on"), expected)
  })

  it.each(FormatRule.literals.filter((rule) => rule !== "none"))(
    "%s asks for no think tag with thinking off",
    (rule) => {
      assert.strictEqual(formatScore(rule, "a", "off"), 1)
      assert.strictEqual(formatScore(rule, "<think>t</think>a", "off"), 0)
      assert.strictEqual(
        formatScore(rule, "a</think>", "off", { ...FORMAT_DEFAULTS, think_opened_by_template: true }),
        0
      )
    }
  )
})

describe("a thought that the chat template has opened", () => {
  const opened = { ...FORMAT_DEFAULTS, think_opened_by_template: true }

  it("goes on to its closing tag", () => {
    assert.strictEqual(formatScore("thinking", "t</think>a", "on", opened), 1)
    assert.strictEqual(formatScore("thinking", "t</think>a", "on"), 0)
  })

  it.each(["t", "<think>t</think>a", "t</think>", "t</think>a</think>b", "</think>a"])(
    "is not kept by %j",
    (completion) => assert.strictEqual(formatScore("thinking", completion, "on", opened), 0)
  )
})
