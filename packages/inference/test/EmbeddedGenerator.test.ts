import { assert, describe, it } from "@effect/vitest"
import { logprobOf, tokensOf } from "@gradus/testing/CompletionsAnswer"
import * as Twists from "@gradus/testing/CompletionsAnswer"
import type { CompletionsBehaviour, CompletionsOptions } from "@gradus/testing/CompletionsServer"
import { CompletionsServer } from "@gradus/testing/CompletionsServer"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as EmbeddedGenerator from "../src/EmbeddedGenerator.ts"
import { bySeed, built, requestOf, texts } from "./port.ts"

const generator = Effect.fnUntraced(function* (chunkPrompts: number, deadline: `${number} millis` = "5000 millis") {
  const { url } = yield* CompletionsServer
  const options = { url, token: Redacted.make("t"), chunkPrompts, deadline, attempts: 3 }
  return yield* built(EmbeddedGenerator.layer({ ...options, determinism: "bitwise" }))
})

const serving = (options: Partial<CompletionsOptions> = {}) =>
  CompletionsServer.layer({ answers: bySeed, policyVersion: 4, ...options })

/** Generates 2 questions of 2 samples with a server that behaves so first and well afterwards. */
const after = (behaviour: CompletionsBehaviour, options: Partial<CompletionsOptions> = {}) =>
  Effect.gen(function* () {
    const { generate } = yield* generator(2, "300 millis")
    const result = yield* Effect.result(generate(requestOf(2, 2)))
    const { requests } = yield* (yield* CompletionsServer).traffic
    return { result, requests }
  }).pipe(Effect.provide(serving({ script: [behaviour, { kind: "answer" }], ...options })))

const withoutTokens: CompletionsBehaviour = {
  kind: "twist",
  change: (choices) => choices.map((choice) => ({ ...choice, token_ids: null }))
}

const good = [
  ["p0#0", "p0#1"],
  ["p1#100", "p1#101"]
]

describe("EmbeddedGenerator", () => {
  it.live("sends fixed chunks one after the other, each with its groups' seeds", () =>
    Effect.gen(function* () {
      const { determinism, generate } = yield* generator(2)
      const groups = yield* generate(requestOf(5, 2))
      assert.strictEqual(determinism, "bitwise")
      assert.deepStrictEqual(
        groups.map((group) => group.group_id),
        ["train/2/q0", "train/2/q1", "train/2/q2", "train/2/q3", "train/2/q4"]
      )
      const server = yield* CompletionsServer
      assert.deepStrictEqual(
        (yield* server.received).map(({ authorization, body }) => [authorization, body]),
        [
          { prompts: ["p0", "p1"], seeds: [0, 100] },
          { prompts: ["p2", "p3"], seeds: [200, 300] },
          { prompts: ["p4"], seeds: [400] }
        ].map(({ prompts, seeds }) => [
          "Bearer t",
          {
            model: "loopback",
            prompt: prompts,
            n: 2,
            temperature: 1,
            max_tokens: 32,
            logprobs: 0,
            return_token_ids: true,
            gradus: { group_seeds: seeds }
          }
        ])
      )
      assert.strictEqual((yield* server.traffic).peak, 1)
    }).pipe(Effect.provide(serving()))
  )

  it.live("gives every sample its identity, tokens and log-probabilities", () =>
    Effect.gen(function* () {
      const { generate } = yield* generator(2)
      const [, group] = yield* generate(requestOf(2, 2))
      const token_ids = [...tokensOf("p1#101"), 0]
      assert.deepStrictEqual(group?.completions[1], {
        sample_id: "train/2/q1/1",
        group_id: "train/2/q1",
        k: 1,
        text: "p1#101",
        token_ids,
        logprobs: token_ids.map(logprobOf),
        finish_reason: "stop"
      })
      assert.deepStrictEqual(group?.prompt_token_ids, tokensOf("p1"))
      assert.deepStrictEqual(group?.failures, [])
      assert.strictEqual(group?.policy_version, 4)
    }).pipe(Effect.provide(serving()))
  )

  it.live.each<readonly [string, CompletionsBehaviour]>([
    ["a reset connection", { kind: "reset" }],
    ["a body that is cut", { kind: "cut" }],
    ["half of a JSON", { kind: "truncated_json" }],
    ["another JSON", { kind: "json", body: { hello: 1 } }],
    ["a status 503", { kind: "status", status: 503 }],
    ["an answer after the deadline", { kind: "stall", ms: 600 }]
  ])("asks for the whole chunk again after %s", ([, behaviour]) =>
    Effect.gen(function* () {
      const { requests, result } = yield* after(behaviour)
      assert.strictEqual(requests, 2)
      assert.deepStrictEqual(result._tag === "Success" ? texts(result.success) : result.failure, good)
    })
  )

  it.live("reads choices by their index, not by their place", () =>
    Effect.gen(function* () {
      const { result } = yield* after(Twists.reversedChoices)
      assert.deepStrictEqual(result._tag === "Success" ? texts(result.success) : result.failure, good)
    })
  )

  it.live.each<readonly [string, CompletionsBehaviour, string]>([
    ["fewer choices", Twists.fewerChoices, "4 choices were asked and 3 came"],
    ["more choices", Twists.moreChoices, "4 choices were asked and 5 came"],
    ["no choices", Twists.noChoices, "4 choices were asked and 0 came"],
    ["a choice twice", Twists.duplicateChoice, "no single choice has the index 1"],
    ["too few log-probabilities", Twists.shortLogprobs, "choice 0 has 5 tokens and 4 logprobs"],
    ["no token ids", withoutTokens, "choice 0 has no token_ids: the server must know return_token_ids"]
  ])("asks again after %s, without guessing, and says so when it stays like that", ([, behaviour, reason]) =>
    Effect.gen(function* () {
      const { requests, result } = yield* after(behaviour)
      assert.strictEqual(requests, 2)
      assert.deepStrictEqual(result._tag === "Success" ? texts(result.success) : result.failure, good)
      const always = yield* after(behaviour, { script: [behaviour] })
      assert.strictEqual(always.requests, 3)
      assert.strictEqual(always.result._tag === "Failure" ? always.result.failure.reason : "", reason)
    })
  )

  it.live("refuses the answer of another policy version", () =>
    Effect.gen(function* () {
      const { result } = yield* after({ kind: "answer" }, { policyVersion: 3 })
      assert.strictEqual(result._tag, "Failure")
      if (result._tag === "Failure") assert.include(result.failure.reason, "stale policy: version 3 answered, 4 was")
    })
  )

  it.live("says status and text of a refusal, at once", () =>
    Effect.gen(function* () {
      const { requests, result } = yield* after({ kind: "status", status: 401, body: "who is Bearer t" })
      assert.strictEqual(requests, 1)
      // the token is t: a server that says it back does not bring it into a message
      assert.deepInclude(result._tag === "Failure" ? result.failure : {}, {
        status: 401,
        reason: "who is Bearer <redacted>"
      })
    })
  )

  it.live("gives up after its attempts", () =>
    Effect.gen(function* () {
      const script = [{ kind: "status", status: 500 }] as const
      const { requests, result } = yield* after({ kind: "reset" }, { script })
      assert.strictEqual(requests, 3)
      assert.deepInclude(result._tag === "Failure" ? result.failure : {}, { status: 500, retryable: true })
    })
  )

  it("cuts chunks by place and keeps groups of other sizes apart", () => {
    const sizes = [2, 2, 2, 3, 3, 2]
    const groups = sizes.map((samples, j) => ({ question_id: `${j}`, prompt: "p", samples, seed: 0 }))
    const chunks = EmbeddedGenerator.chunksOf(groups, 2).map((chunk) => chunk.map(({ question_id }) => question_id))
    assert.deepStrictEqual(chunks, [["0", "1"], ["2"], ["3", "4"], ["5"]])
    assert.deepStrictEqual(EmbeddedGenerator.chunksOf([], 2), [])
  })
})
