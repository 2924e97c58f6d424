import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { CompletionsAnswer, parseJson } from "../src/CompletionsAnswer.ts"

const choice = (index: number, tokens: number) => ({
  index,
  text: "x".repeat(tokens),
  finish_reason: "length",
  token_ids: Array.from({ length: tokens }, (_, t) => (index * 31 + t * 7) % 500),
  prompt_token_ids: null,
  logprobs: { token_logprobs: Array.from({ length: tokens }, (_, t) => -1 / (t + index + 1)) }
})

describe("CompletionsAnswer", () => {
  it("decodes 512 choices of 40 tokens in under 10 ms", () => {
    const text = JSON.stringify({ choices: Array.from({ length: 512 }, (_, i) => choice(i, 40)), policy_version: 1 })
    const decode = Schema.decodeUnknownSync(CompletionsAnswer)
    const times = Array.from({ length: 10 }, () => {
      const began = performance.now()
      assert.strictEqual(decode(parseJson(text)).choices.length, 512)
      return performance.now() - began
    })
    assert.isBelow(Math.min(...times), 10)
  })

  it("refuses token ids that are no token ids", () => {
    const decode = Schema.decodeUnknownOption(CompletionsAnswer)
    for (const token of [-1, 1.5, "1", null]) {
      assert.strictEqual(decode({ choices: [{ ...choice(0, 1), token_ids: [token] }] })._tag, "None")
    }
    assert.strictEqual(decode({ choices: [choice(0, 1)] })._tag, "Some")
  })

  it("reads Python's NaN and Infinity as null, but not inside of texts", () => {
    assert.deepStrictEqual(parseJson(String.raw`{"a": [NaN, -Infinity, Infinity, -1.5], "b": "NaN \" Infinity"}`), {
      a: [null, null, null, -1.5],
      b: 'NaN " Infinity'
    })
    assert.throws(() => parseJson('{"a": [1,'), SyntaxError)
  })
})
