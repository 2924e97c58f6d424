import { assert, describe, it } from "@effect/vitest"
import type { Question } from "@gradus/domain/Question"
import * as Schema from "effect/Schema"
import { completionAfter, indexTruths } from "../src/Truths.ts"

const asked = (question: string): Question => ({ question_id: question, question, gold: "1", thinking: "on" })

describe("indexTruths", () => {
  const find = indexTruths(["What is 2+2?", "What is 2+2? And 3+3, said once more, in words?", "Q", " "].map(asked))

  it.each<readonly [string, string | undefined, string | undefined]>([
    ["user: What is 2+2?\nfour", "What is 2+2?", "\nfour"],
    ["What is 2+2? And 3+3, said once more, in words? six", "What is 2+2? And 3+3, said once more, in words?", " six"],
    ["What is 2+2? And 3+3, said once", "What is 2+2?", " And 3+3, said once"],
    ["Q: a", "Q", ": a"],
    ["nothing that is known", undefined, undefined]
  ])("in %j finds %j", (text, question, rest) => {
    const found = find(text)
    assert.strictEqual(found?.question.question, question)
    assert.strictEqual(found?.rest, rest)
  })

  it.prop(
    "finds every question, whatever stands around it",
    [Schema.String, Schema.String, Schema.String],
    ([before, own, after]) => {
      const question = `Who is ${own} and why?`
      const found = indexTruths([asked(question)])(`${before}${question}${after}`)
      assert.strictEqual(found?.question.question, question)
      if (!before.includes(question)) assert.strictEqual(found?.rest, after)
    }
  )
})

describe("completionAfter", () => {
  it.each<readonly [string, string]>([
    ["<|im_end|>\n<|im_start|>assistant\nfour<|im_end|>\n", "four"],
    ["<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nfour<|eot_id|>", "four"],
    ["<end_of_turn>\n<start_of_turn>model\nfour<end_of_turn>", "four"],
    [" [/INST] four</s>", " four"],
    ["\nAssistant: four", "four"],
    ["\n\nfour\n", "\n\nfour\n"],
    ["<|im_start|>assistant\nthe assistant\nsays<|im_start|>assistant\n", "the assistant\nsays<|im_start|>assistant\n"]
  ])("of %j is %j", (rest, completion) => assert.strictEqual(completionAfter(rest), completion))
})

it("hostile texts take no time", () => {
  const find = indexTruths([asked("a".repeat(40)), asked("a")])
  const started = performance.now()
  for (const unit of [" ", "\n", "\t", "<|end|>", "a", "\nassistant", "Assistant: "]) {
    const text = unit.repeat(Math.ceil(100_000 / unit.length))
    completionAfter(find(text)?.rest ?? text)
  }
  assert.isBelow(performance.now() - started, 5000)
})
