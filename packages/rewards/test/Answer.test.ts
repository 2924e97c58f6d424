import { assert, describe, it } from "@effect/vitest"
import type { AnswerRule } from "@gradus/domain/manifest/Rewards"
import * as Schema from "effect/Schema"
import { takeAnswer } from "../src/Answer.ts"
import { readRows } from "./RealData.ts"

const cases: ReadonlyArray<readonly [AnswerRule, string, string | null]> = [
  ["after_think", "<think>a</think> b ", "b"],
  ["after_think", "<think>a</think>b</think>\nc", "c"],
  ["after_think", " no tag ", "no tag"],
  ["after_think", "<think>cut off in a thought", null],
  ["after_think", "<think>a</think>", ""],
  ["whole", " <think>a</think> b ", "<think>a</think> b"],
  ["gsm8k_hash_last", "#### 10\nmore\n#### 20", "20"],
  ["gsm8k_hash_last", "so\n#### $1,234", "1234"],
  ["gsm8k_hash_last", "####: 55", "55"],
  ["gsm8k_hash_last", "#### -7.\nbye 9", "-7"],
  ["gsm8k_hash_last", "<think>#### 3</think>none", null],
  ["gsm8k_hash_last", "#### five apples", "five apples"],
  ["numeric_end", "first 3, then it is -5 exactly", "-5"],
  ["numeric_end", "<think>9</think>no number", null],
  ["boxed_last", "\\boxed{1} and \\boxed{\\frac{1}{2}}", "\\frac{1}{2}"],
  ["boxed_last", "\\boxed{a \\} b}", "a \\} b"],
  ["boxed_last", "\\boxed{42", null],
  ["boxed_last", "\\fbox{7}", "7"],
  ["boxed_last", "plain", null]
]

describe("takeAnswer", () => {
  it.each(cases)("%s of %j is %j", (rule, completion, answer) => {
    assert.strictEqual(takeAnswer(rule, completion), answer)
  })

  it.prop("after_think never shows a closed thought", [Schema.String, Schema.String], ([thought, answer]) => {
    assert.strictEqual(
      takeAnswer("after_think", `<think>${thought}</think>${answer}`),
      answer.slice(answer.lastIndexOf("</think>") + (answer.includes("</think>") ? 8 : 1)).trim()
    )
  })

  it("searches a long text in little time", () => {
    const started = performance.now()
    assert.isNull(takeAnswer("boxed_last", "\\boxed{".repeat(200_000)))
    assert.isNull(takeAnswer("numeric_end", "1,111".repeat(200_000) + "²x".repeat(10)))
    assert.isBelow(performance.now() - started, 500)
  })
})

const rows = readRows(
  "judge/judge_format_cases.jsonl",
  Schema.Struct({ id: Schema.String, mode: Schema.String, completion: Schema.String, expected: Schema.Unknown })
)
it(`agrees with published extraction cases${rows === undefined ? " (shared data absent: nothing to compare)" : ""}`, () => {
  const wrong = (rows ?? []).flatMap(({ id, mode, completion, expected }) => {
    const rule = (["gsm8k_hash_last", "boxed_last"] as const).find((name) => mode === `extract:${name}`)
    return rule !== undefined && takeAnswer(rule, completion) !== expected ? [id] : []
  })
  assert.deepStrictEqual(wrong, [])
})
