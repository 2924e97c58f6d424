import { cpuMillis } from "@gradus/testing/CpuMillis"
import { assert, describe, it } from "@effect/vitest"
import type { AnswerRule } from "@gradus/domain/manifest/Rewards"
import * as Schema from "effect/Schema"
import { takeAnswer, takeAnswers } from "../src/Answer.ts"
import { compareAnswers } from "../src/accuracy/Compared.ts"

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
  ["boxed_last", "plain", null],
  ["after_think_required", "no tag", null],
  ["after_think_required", "<think>a</think> b", "b"],
  ["after_think_optional", "no tag", "no tag"],
  ["numeric_begin", "first 3, then 5", "3"],
  ["numeric_begin", "none", null],
  ["numeric_exact", "$1,234", "1234"],
  ["numeric_exact", "5 apples", null],
  ["final_int", "64 + 67 = **131**", "131"],
  ["final_int", "about 2.5", null],
  ["answer_word", "ANSWER: 42,\n", "42"],
  ["answer_word", "Answer: **yes**. Really", "yes"],
  ["answer_word", "ANSWER: No\nANSWER: Yes", "No"],
  ["answer_word_last", "ANSWER: No\nANSWER: Yes", "Yes"],
  ["answer_word_last", "no mark", null],
  ["answer_letter", "ANSWER: (b) since", "B"],
  ["answer_letter", "ANSWER: Banana", null],
  ["xml_answer_last", "<answer>4</answer><answer> 5 </answer>", "5"],
  ["xml_answer_last", "<answer>4", null],
  ["math_last", "\\boxed{1} and \\boxed{2}", "1, 2"],
  ["math_last", "first \\boxed{wrong}. Then I saw: \\boxed{42}", "42"],
  ["math_last", "\\boxed{42", null],
  ["math_last", "<answer>41</answer><answer>42</answer>", null],
  ["math_last", "<answer>42</answer>", "42"],
  ["math_last", "So $x = 3$ and 7 sheep. The final answer is $\\frac{1}{2}$. I hope it is correct.", "$\\frac{1}{2}$"],
  ["math_last", "Thus $x \\le 2$ is our answer.", "x \\le 2"],
  ["math_last", "It costs 1,000.99€ in all", "1,000.99"],
  ["math_last", "so it is $28$ % of it", "28 %"],
  ["math_last", "it is 19, 46, and 82", "19, 46, 82"],
  ["math_last", "either 41 or 42", "41 or 42"],
  ["math_last", "(lambda: 1)() or 0", null],
  ["math_last", "one of 0..999", null],
  ["math_last", "room AZYUK2A is empty", null],
  ["math_last", "2x + 3", "2x + 3"],
  ["math_last", "42 because geometry proves it", "42"],
  ["math_last", "no number", null]
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
    const started = cpuMillis()
    assert.isNull(takeAnswer("boxed_last", "\\boxed{".repeat(200_000)))
    assert.isNull(takeAnswer("numeric_end", "1,111".repeat(200_000) + "²x".repeat(10)))
    assert.isBelow(cpuMillis() - started, 500)
  })
})

it("numeric_any lets every number count, and the other rules one", () => {
  assert.deepStrictEqual(takeAnswers("numeric_any", "<think>9</think>28 + 32 = 60%"), ["28", "32", "60%"])
  assert.deepStrictEqual(takeAnswers("numeric_end", "28 + 32 = 60%"), ["60%"])
  assert.deepStrictEqual(takeAnswers("numeric_any", "none"), [])
  assert.deepStrictEqual(compareAnswers("numeric", ["28", "32"], "28"), { kind: "scored", value: 1 })
  assert.deepStrictEqual(compareAnswers("numeric", [], "28"), { kind: "scored", value: 0 })
  assert.deepStrictEqual(compareAnswers("numeric", ["28"], "many"), { kind: "unscored", reason: "gold_unreadable" })
})
