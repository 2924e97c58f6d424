import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import {
  duplicateChoice,
  END_TOKEN,
  fewerChoices,
  logprobOf,
  moreChoices,
  nullLogprobs,
  tokensOf
} from "../src/CompletionsAnswer.ts"
import { type CompletionsOptions, CompletionsServer } from "../src/CompletionsServer.ts"

const answers: CompletionsOptions["answers"] = (prompt, n, seed) =>
  Array.from({ length: n }, (_, i) => `${typeof prompt === "string" ? prompt : prompt.length}:${(seed ?? -1) + i}`)

const ask = Effect.fnUntraced(function* (body: object) {
  const { endpoint } = yield* CompletionsServer
  const response = yield* HttpClientRequest.post(`${endpoint}/completions`).pipe(
    HttpClientRequest.bodyJsonUnsafe({ model: "loopback", logprobs: 0, return_token_ids: true, ...body }),
    HttpClient.execute
  )
  return JSON.parse(yield* response.text)
})

const against = <A, E>(
  options: Partial<CompletionsOptions>,
  test: Effect.Effect<A, E, CompletionsServer | HttpClient.HttpClient>
) => test.pipe(Effect.provide([CompletionsServer.layer({ answers, ...options }), NodeHttpClient.layerUndici]))

describe("CompletionsServer", () => {
  it.live("answers n samples of a text with tokens, log-probabilities and the end token", () =>
    against(
      { policyVersion: 4 },
      Effect.gen(function* () {
        const answer = yield* ask({ prompt: "ab", n: 2, seed: 7 })
        assert.deepStrictEqual(
          answer.choices.map((choice: { text: string }) => choice.text),
          ["ab:7", "ab:8"]
        )
        const tokens = [...tokensOf("ab:8"), END_TOKEN]
        assert.deepStrictEqual(answer.choices[1].token_ids, tokens)
        assert.deepStrictEqual(answer.choices[1].logprobs.token_logprobs, tokens.map(logprobOf))
        assert.deepStrictEqual(answer.choices[0].prompt_token_ids, [97, 98])
        assert.isNull(answer.choices[1].prompt_token_ids)
        assert.strictEqual(answer.policy_version, 4)
      })
    )
  )

  it.live("takes lists of token ids, a seed a group, and says length where it cut", () =>
    against(
      {},
      Effect.gen(function* () {
        const answer = yield* ask({
          prompt: [[1, 2], [3]],
          n: 1,
          max_tokens: 2,
          gradus: { group_seeds: [10, 20] }
        })
        assert.deepStrictEqual(
          answer.choices.map((choice: { index: number; text: string; finish_reason: string }) => [
            choice.index,
            choice.text,
            choice.finish_reason
          ]),
          [
            [0, "2:", "length"],
            [1, "1:", "length"]
          ]
        )
        assert.strictEqual((yield* (yield* CompletionsServer).received)[0]?.prompts, 2)
      })
    )
  )

  it.live("says fewer, more, doubled choices and null log-probabilities when told to", () =>
    against(
      { script: [fewerChoices, moreChoices, duplicateChoice, nullLogprobs] },
      Effect.gen(function* () {
        const indices = Effect.map(ask({ prompt: "x", n: 2 }), (answer) =>
          answer.choices.map((choice: { index: number }) => choice.index)
        )
        assert.deepStrictEqual(yield* indices, [0])
        assert.deepStrictEqual(yield* indices, [0, 1, 2])
        assert.deepStrictEqual(yield* indices, [0, 0])
        const nulls = yield* ask({ prompt: "x", n: 1 })
        assert.isNull(nulls.choices[0].logprobs.token_logprobs[0])
      })
    )
  )

  it.live("lists its model and its routes", () =>
    against(
      { model: "tiny" },
      Effect.gen(function* () {
        const { endpoint, url } = yield* CompletionsServer
        const models = JSON.parse(yield* (yield* HttpClient.get(`${endpoint}/models`)).text)
        assert.strictEqual(models.data[0].id, "tiny")
        const routes = JSON.parse(yield* (yield* HttpClient.get(`${url}/openapi.json`)).text)
        assert.property(routes.paths, "/v1/completions")
      })
    )
  )
})
