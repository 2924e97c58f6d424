import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { baseUrl, readSamples, sampleBody, sampleUrl, shownUrl } from "../src/SampleApi.ts"

const spec = { api: "chat", model: "m", temperature: 0.5, max_tokens: 7 } as const
const read = (api: "chat" | "completions", value: unknown) => readSamples(api, JSON.stringify(value))

describe("addresses", () => {
  it("are completed from a host, a base or a route, as people write them", () => {
    for (const written of [
      "http://h:1",
      "http://h:1/",
      "http://h:1/v1",
      "http://h:1/v1/",
      "http://h:1/v1/chat/completions",
      "http://h:1/v1/completions"
    ])
      assert.strictEqual(baseUrl(written), "http://h:1/v1", written)
    assert.strictEqual(sampleUrl("https://h/openai/v2", "chat"), "https://h/openai/v2/chat/completions")
    assert.strictEqual(sampleUrl("https://h", "completions"), "https://h/v1/completions")
    assert.strictEqual(shownUrl("http://user:secret@h/v1"), "http://h/v1")
  })
})

describe("requests", () => {
  it("hold the question as the user's message, and n only where more than one sample is asked for", () => {
    assert.deepStrictEqual(JSON.parse(sampleBody({ ...spec, system: "be brief" }, "2 + 2?", 8, 11)), {
      model: "m",
      messages: [
        { role: "system", content: "be brief" },
        { role: "user", content: "2 + 2?" }
      ],
      n: 8,
      temperature: 0.5,
      max_tokens: 7,
      seed: 11
    })
    assert.deepStrictEqual(JSON.parse(sampleBody(spec, "2 + 2?", 1, undefined)), {
      model: "m",
      messages: [{ role: "user", content: "2 + 2?" }],
      temperature: 0.5,
      max_tokens: 7
    })
  })

  it("hold it as the prompt for completions, after the system text", () => {
    const body = JSON.parse(sampleBody({ ...spec, api: "completions", system: "Q: " }, "2 + 2?", 2, undefined))
    assert.deepStrictEqual(body, { model: "m", prompt: "Q: 2 + 2?", n: 2, temperature: 0.5, max_tokens: 7 })
  })
})

describe("answers", () => {
  it("are read in the order of their indices, without token ids or log-probabilities", () => {
    const answer = {
      choices: [
        { index: 1, finish_reason: "length", message: { role: "assistant", content: "b" } },
        { index: 0, finish_reason: "stop", message: { role: "assistant", content: "a", reasoning_content: "hm" } }
      ],
      usage: { prompt_tokens: 3, completion_tokens: 9 }
    }
    assert.deepStrictEqual(
      read("chat", answer),
      Result.succeed({
        texts: [
          { text: "a", reasoning: "hm", finish_reason: "stop" },
          { text: "b", reasoning: null, finish_reason: "length" }
        ],
        prompt_tokens: 3,
        completion_tokens: 9
      })
    )
  })

  it("may have no usage, no index and a null content: that is an empty completion", () => {
    assert.deepStrictEqual(
      read("chat", { choices: [{ message: { content: null } }] }),
      Result.succeed({
        texts: [{ text: "", reasoning: null, finish_reason: null }],
        prompt_tokens: null,
        completion_tokens: null
      })
    )
    assert.deepStrictEqual(
      read("completions", { choices: [{ text: "x", finish_reason: "stop" }], usage: null }),
      Result.succeed({
        texts: [{ text: "x", reasoning: null, finish_reason: "stop" }],
        prompt_tokens: null,
        completion_tokens: null
      })
    )
  })

  it("that are none say why", () => {
    const reason = (result: ReturnType<typeof readSamples>): string => (Result.isFailure(result) ? result.failure : "")
    assert.match(reason(readSamples("chat", "<html>")), /not JSON/)
    assert.match(reason(read("chat", { error: "overloaded" })), /another form/)
    assert.match(reason(read("chat", { choices: [] })), /no message/)
    assert.match(reason(read("completions", { choices: [{ message: { content: "a" } }] })), /no text/)
  })
})
