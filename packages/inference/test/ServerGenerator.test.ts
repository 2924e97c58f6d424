import { assert, describe, it } from "@effect/vitest"
import * as Twists from "@gradus/testing/CompletionsAnswer"
import type { CompletionsBehaviour, CompletionsOptions } from "@gradus/testing/CompletionsServer"
import { CompletionsServer } from "@gradus/testing/CompletionsServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { runsOf } from "../src/GroupSamples.ts"
import type { ServerGeneratorOptions } from "../src/ServerGenerator.ts"
import * as ServerGenerator from "../src/ServerGenerator.ts"
import { bySeed, built, requestOf, texts } from "./port.ts"

const generator = Effect.fnUntraced(function* (options: Partial<ServerGeneratorOptions> = {}) {
  const { url } = yield* CompletionsServer
  const defaults = { urls: [url], concurrency: 4, deadline: "300 millis", attempts: 3, sendSeed: true } as const
  return yield* built(ServerGenerator.layer({ ...defaults, apiKey: Redacted.make("key"), ...options }))
})

const serving = (options: Partial<CompletionsOptions> = {}) => CompletionsServer.layer({ answers: bySeed, ...options })

/** Generates one question of 4 samples; the server follows the script. */
const oneGroup = (
  script: readonly [CompletionsBehaviour, ...ReadonlyArray<CompletionsBehaviour>],
  options: Partial<ServerGeneratorOptions> = {}
) =>
  Effect.gen(function* () {
    const { generate } = yield* generator(options)
    const result = yield* Effect.result(generate(requestOf(1, 4)))
    const received = yield* (yield* CompletionsServer).received
    const asked = received.map(({ body }) => [body.n, body.seed])
    return { groups: result._tag === "Success" ? result.success : [], result, asked }
  }).pipe(Effect.provide(serving({ script })))

const all = [["p0#0", "p0#1", "p0#2", "p0#3"]]
const without = (...indices: ReadonlyArray<number>): CompletionsBehaviour => ({
  kind: "twist",
  change: (choices) => choices.filter((choice) => !indices.includes(choice.index))
})

describe("ServerGenerator", () => {
  it.live("asks for one group a request, with bounded concurrency, and returns groups in the order asked", () =>
    Effect.gen(function* () {
      const { determinism, generate } = yield* generator({ concurrency: 3, deadline: "5 seconds" })
      const groups = yield* generate(requestOf(12, 2))
      assert.strictEqual(determinism, "external")
      assert.deepStrictEqual(
        texts(groups),
        Array.from({ length: 12 }, (_, j) => [`p${j}#${100 * j}`, `p${j}#${100 * j + 1}`])
      )
      const server = yield* CompletionsServer
      assert.deepInclude(yield* server.traffic, { requests: 12, peak: 3 })
      const [first] = yield* server.received
      assert.strictEqual(first?.authorization, "Bearer key")
      assert.deepInclude(first?.body, { n: 2, max_tokens: 32, temperature: 1, logprobs: 0, return_token_ids: true })
      assert.strictEqual(groups[3]?.policy_version, null)
      assert.deepStrictEqual(groups[3]?.prompt_token_ids, Twists.tokensOf("p3"))
    }).pipe(
      Effect.provide(
        serving({ script: (_, index) => ({ kind: "stall", ms: 10 * (12 - index) }) as CompletionsBehaviour })
      )
    )
  )

  it.live("asks again only for the samples that are missing, under their own seeds", () =>
    Effect.gen(function* () {
      const { asked, groups } = yield* oneGroup([without(1, 3), { kind: "answer" }])
      assert.deepStrictEqual(texts(groups), all)
      assert.deepStrictEqual(asked, [
        [4, 0],
        [1, 1],
        [1, 3]
      ])
      assert.deepStrictEqual(
        groups[0]?.completions.map(({ k, sample_id }) => [k, sample_id]),
        [0, 1, 2, 3].map((k) => [k, `train/2/q0/${k}`])
      )
    })
  )

  it.live("asks for all that is missing at once where seeds are not sent", () =>
    Effect.gen(function* () {
      const { asked, groups } = yield* oneGroup([without(1, 3), { kind: "answer" }], { sendSeed: false })
      assert.deepStrictEqual(asked, [
        [4, undefined],
        [2, undefined]
      ])
      assert.deepStrictEqual(
        groups[0]?.completions.map(({ k }) => k),
        [0, 1, 2, 3]
      )
    })
  )

  it.live("counts a choice that comes twice once, and none that was not asked for", () =>
    Effect.gen(function* () {
      const twice = yield* oneGroup([Twists.duplicateChoice, { kind: "answer" }])
      assert.deepStrictEqual(texts(twice.groups), all)
      assert.deepStrictEqual(twice.asked, [
        [4, 0],
        [1, 3]
      ])
      const more = yield* oneGroup([Twists.moreChoices])
      assert.deepStrictEqual(texts(more.groups), all)
      assert.strictEqual(more.asked.length, 1)
    })
  )

  it.live("never counts an answer that came too late beside the one that was asked for again", () =>
    Effect.gen(function* () {
      const { asked, groups } = yield* oneGroup([{ kind: "stall", ms: 450 }, { kind: "answer" }])
      assert.deepStrictEqual(texts(groups), all)
      assert.strictEqual(asked.length, 2)
    })
  )

  it.live.each<readonly [string, CompletionsBehaviour]>([
    ["a reset connection", { kind: "reset" }],
    ["a body that is cut", { kind: "cut" }],
    ["half of a JSON", { kind: "truncated_json" }],
    ["another JSON", { kind: "json", body: [] }],
    ["a status 429", { kind: "status", status: 429 }],
    ["no choices", Twists.noChoices]
  ])("asks again after %s", ([, behaviour]) =>
    Effect.gen(function* () {
      const { asked, groups } = yield* oneGroup([behaviour, { kind: "answer" }])
      assert.deepStrictEqual(texts(groups), all)
      assert.strictEqual(asked.length, 2)
    })
  )

  it.live("leaves a server alone for as long as it asks, with every group", () =>
    Effect.gen(function* () {
      const { generate } = yield* generator({ deadline: "10 seconds" })
      const started = performance.now()
      const groups = yield* generate(requestOf(3, 2))
      assert.isAtLeast(performance.now() - started, 1000)
      assert.isTrue(groups.every((group) => group.completions.length === 2))
      // one was told, and the two that had been sent with it: nobody asked in between
      assert.isAtMost((yield* (yield* CompletionsServer).traffic).requests, 6)
    }).pipe(
      Effect.provide(
        serving({
          script: [{ kind: "status", status: 429, retryAfter: 1 }, { kind: "answer" }]
        })
      )
    )
  )

  it.live("makes of what is missing after all attempts failures with a reason", () =>
    Effect.gen(function* () {
      const { asked, groups } = yield* oneGroup([without(1, 2), without(0)])
      assert.strictEqual(asked.length, 3)
      assert.deepStrictEqual(asked.at(-1), [1, 1])
      assert.deepStrictEqual(texts(groups), [["p0#0", "p0#2", "p0#3"]])
      assert.deepStrictEqual(groups[0]?.failures, [
        { sample_id: "train/2/q0/1", group_id: "train/2/q0", k: 1, failure: "1 choices were asked and 0 came" }
      ])
    })
  )

  it.live("keeps a group apart that the server refuses, without asking again", () =>
    Effect.gen(function* () {
      const { generate } = yield* generator()
      const groups = yield* generate(requestOf(3, 2))
      assert.deepStrictEqual(
        groups.map((group) => [group.completions.length, group.failures.length]),
        [
          [2, 0],
          [0, 2],
          [2, 0]
        ]
      )
      assert.include(groups[1]?.failures[0]?.failure, "too long")
      assert.strictEqual((yield* (yield* CompletionsServer).traffic).requests, 3)
    }).pipe(
      Effect.provide(
        serving({
          script: ({ body }) =>
            body.prompt === "p1" ? { kind: "status", status: 400, body: "the prompt is too long" } : { kind: "answer" }
        })
      )
    )
  )

  it.live("turns log-probabilities that are not finite into null", () =>
    Effect.gen(function* () {
      const { groups } = yield* oneGroup([Twists.nullLogprobs])
      assert.deepStrictEqual(groups[0]?.completions[0]?.logprobs, [null, null, null, null, null])
      assert.isTrue(groups[0]?.completions[1]?.logprobs.every((logprob) => logprob !== null))
    })
  )

  it.live.each([401, 403, 404])("fails as a whole at status %d, at once", (status) =>
    Effect.gen(function* () {
      const { asked, result } = yield* oneGroup([{ kind: "status", status }])
      assert.deepInclude(result._tag === "Failure" ? result.failure : {}, { status, retryable: false })
      assert.strictEqual(asked.length, 1)
    })
  )

  it.live("fails as a whole when no server answers at all", () =>
    Effect.gen(function* () {
      const { result } = yield* oneGroup([{ kind: "reset" }])
      assert.deepInclude(result._tag === "Failure" ? result.failure : {}, { _tag: "GeneratorFailed", retryable: true })
    })
  )

  it.live("goes to the next server after one has failed", () =>
    Effect.gen(function* () {
      const build = (script: CompletionsOptions["script"]) =>
        Effect.map(Layer.build(serving(script === undefined ? {} : { script })), (services) =>
          Context.get(services, CompletionsServer)
        )
      const [broken, sound] = [yield* build([{ kind: "status", status: 500 }]), yield* build(undefined)]
      const options = { concurrency: 1, deadline: "1 second", attempts: 2, sendSeed: true } as const
      const { generate } = yield* built(ServerGenerator.layer({ ...options, urls: [broken.url, sound.url] }))
      assert.deepStrictEqual(texts(yield* generate(requestOf(1, 4))), all)
      assert.strictEqual((yield* broken.traffic).requests, 1)
      assert.strictEqual((yield* sound.traffic).requests, 1)
    })
  )

  it.live("finds at the start that a server is not there", () =>
    Effect.gen(function* () {
      const { url } = yield* Effect.scoped(Effect.provide(CompletionsServer, serving()))
      const options = { urls: [url], concurrency: 1, deadline: "1 second", attempts: 1, sendSeed: false } as const
      const error = yield* Effect.flip(built(ServerGenerator.layer(options)))
      assert.include(error.reason, "ECONNREFUSED")
    })
  )

  it.prop(
    "cuts missing samples into runs that keep every one of them and its seed",
    { bits: Schema.Array(Schema.Boolean) },
    ({ bits }) => {
      const ks = bits.flatMap((bit, k) => (bit ? [k] : []))
      const runs = runsOf(ks)
      assert.deepStrictEqual(runs.flat(), ks)
      for (const run of runs) assert.strictEqual(run.at(-1)! - run[0]! + 1, run.length)
      for (let i = 1; i < runs.length; i++) assert.isAbove(runs[i]![0]!, runs[i - 1]!.at(-1)! + 1)
    }
  )
})
