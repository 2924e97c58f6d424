import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import { type ChatBehaviour, ChatServer, type ReceivedChat } from "@gradus/testing/ChatServer"
import type { Script } from "@gradus/testing/Script"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { promptDigest } from "../src/judge/Prompt.ts"
import { chatUrl, retryAfterMillis, shownUrl } from "../src/service/ChatCompletion.ts"
import { Judge } from "../src/service/Judge.ts"

type Options = Partial<typeof JudgeSpec.Encoded>

const judgeLayer = (options: Options) =>
  Layer.unwrap(
    Effect.map(ChatServer, ({ endpoint }) =>
      Judge.layer(Schema.decodeSync(JudgeSpec)({ endpoint, model: "judge-1", structured: "never", ...options }))
    )
  ).pipe(Layer.provide(NodeHttpClient.layerUndici))

const against = <A, E>(
  script: Script<ReceivedChat, ChatBehaviour>,
  test: Effect.Effect<A, E, ChatServer | Judge>,
  options: Options = {}
) => test.pipe(Effect.provide(judgeLayer(options).pipe(Layer.provideMerge(ChatServer.layer(script)))))

const ask = (answer = "four") => Judge.use(({ judge }) => judge({ question: "2+2?", gold: "4", answer }))
const requests = ChatServer.use(({ traffic }) => Effect.map(traffic, (seen) => seen.requests))

describe.concurrent("Judge over HTTP", () => {
  it.live("returns the verdict with reply, model, prompt digest, usage and time", () =>
    against(
      [{ kind: "stall", ms: 20, then: { kind: "answer", text: "Yes." } }],
      Effect.gen(function* () {
        const { ms, ...verdict } = yield* ask()
        assert.deepStrictEqual(verdict, {
          verdict: "yes",
          reply: "Yes.",
          model: "judge-1",
          prompt_digest: promptDigest("number", "yes_no"),
          prompt_tokens: 11,
          completion_tokens: 3
        })
        assert.isAtLeast(ms, 15)
        const [received] = yield* (yield* ChatServer).received
        assert.deepInclude(received?.body, { model: "judge-1", temperature: 0, max_tokens: 32 })
        assert.include(received?.body.messages[1]?.content, "\nfour\n")
        assert.isUndefined(received?.authorization)
      })
    )
  )

  it.live("finds nonsense unreadable and keeps it, without asking again", () =>
    against(
      [
        { kind: "answer", text: "I know the notation" },
        { kind: "answer", text: "yes and no" },
        { kind: "null_content" }
      ],
      Effect.gen(function* () {
        const verdicts = [yield* ask(), yield* ask(), yield* ask()]
        assert.deepStrictEqual(
          verdicts.map(({ verdict, reply }) => [verdict, reply]),
          [
            ["unreadable", "I know the notation"],
            ["unreadable", "yes and no"],
            ["unreadable", null]
          ]
        )
        assert.strictEqual(yield* requests, 3)
      })
    )
  )

  it.live("tries again after 429, 500, a reset and a cut body, and then answers", () =>
    against(
      [
        { kind: "status", status: 429, retryAfter: 0 },
        { kind: "status", status: 500 },
        { kind: "reset" },
        { kind: "cut" },
        { kind: "answer", text: "no" }
      ],
      Effect.gen(function* () {
        assert.strictEqual((yield* ask()).verdict, "no")
        assert.strictEqual(yield* requests, 5)
      }),
      { attempts: 5 }
    )
  )

  it.live("waits as long as Retry-After says", () =>
    against(
      [
        { kind: "status", status: 429, retryAfter: 1 },
        { kind: "answer", text: "yes" }
      ],
      Effect.gen(function* () {
        const { verdict, ms } = yield* ask()
        assert.strictEqual(verdict, "yes")
        assert.isAtLeast(ms, 990)
      })
    )
  )

  it.live("fails at once where waiting would pass the deadline", () =>
    against(
      [{ kind: "status", status: 503, retryAfter: 3600 }],
      Effect.gen(function* () {
        const { verdict, failure, ms } = yield* ask()
        assert.strictEqual(verdict, "failed")
        assert.include(failure, "status 503")
        assert.isBelow(ms, 10_000)
        assert.strictEqual(yield* requests, 1)
      })
    )
  )

  it.live("fails after its last attempt, naming the status", () =>
    against(
      [{ kind: "status", status: 502 }],
      Effect.gen(function* () {
        const verdict = yield* ask()
        assert.deepInclude(verdict, { verdict: "failed", reply: null, prompt_tokens: 0 })
        assert.include(verdict.failure, "status 502")
        assert.strictEqual(yield* requests, 2)
      }),
      { attempts: 2 }
    )
  )

  it.live("holds one deadline over all attempts and gives the stalled request up", () =>
    against(
      [
        { kind: "status", status: 500 },
        { kind: "stall", ms: 60_000 }
      ],
      Effect.gen(function* () {
        const { verdict, failure, ms } = yield* ask()
        assert.strictEqual(verdict, "failed")
        assert.include(failure, "did not answer in 0.6 s")
        assert.isBelow(ms, 10_000)
        const { traffic } = yield* ChatServer
        const after = yield* Effect.repeat(Effect.delay(traffic, 5), { until: (seen) => seen.inFlight === 0 })
        assert.strictEqual(after.interrupted, 1)
      }),
      { deadline: 0.6 }
    )
  )

  it.live.each<readonly [string, ChatBehaviour]>([
    ["status 400", { kind: "status", status: 400 }],
    ["status 401", { kind: "status", status: 401 }],
    ["half of its JSON", { kind: "truncated_json" }],
    ["another JSON", { kind: "json", body: { error: "busy" } }],
    ["no choices", { kind: "empty_choices" }]
  ])("fails without another attempt on %s", ([, behaviour]) =>
    against(
      [behaviour],
      Effect.gen(function* () {
        assert.strictEqual((yield* ask()).verdict, "failed")
        assert.strictEqual(yield* requests, 1)
      })
    )
  )

  it.live("never has more judgements in flight than its concurrency", () =>
    against(
      [{ kind: "stall", ms: 20 }],
      Effect.gen(function* () {
        const answers = Array.from({ length: 20 }, (_, i) => `answer ${i}`)
        const verdicts = yield* Effect.forEach(answers, (answer) => ask(answer), { concurrency: "unbounded" })
        assert.isTrue(verdicts.every(({ verdict }) => verdict === "yes"))
        assert.strictEqual((yield* (yield* ChatServer).traffic).peak, 3)
      }),
      { concurrency: 3 }
    )
  )

  it.live("says no to an answer without content, without a call", () =>
    against(
      [{ kind: "answer", text: "yes" }],
      Effect.gen(function* () {
        for (const answer of ["", " \n", ":", "..."]) assert.strictEqual((yield* ask(answer)).verdict, "no")
        assert.strictEqual(yield* requests, 0)
      })
    )
  )

  it.live("fails, not crashes, where nobody listens", () =>
    Effect.gen(function* () {
      const verdict = yield* ask()
      assert.strictEqual(verdict.verdict, "failed")
      assert.match(verdict.failure ?? "", /^judge http:\/\/127\.0\.0\.1:1\/v1\/chat\/completions unreachable: /)
    }).pipe(
      Effect.provide(
        judgeLayer({ endpoint: "http://127.0.0.1:1", attempts: 1 }).pipe(
          Layer.provide(ChatServer.layer([{ kind: "reset" }]))
        )
      )
    )
  )
})

describe("the judge's key", () => {
  const environment = (variables: Record<string, string>) => ConfigProvider.layer(ConfigProvider.fromUnknown(variables))

  it.live("is sent, and is in no verdict and no log, whatever fails", () => {
    const lines: Array<string> = []
    const recorder = Logger.layer([
      Logger.make((options) => {
        lines.push(Logger.formatJson.log(options))
      })
    ])
    return against(
      [
        { kind: "status", status: 401, body: "Incorrect API key provided: sk-very-secret" },
        { kind: "reset" },
        { kind: "json", body: { echo: "sk-very-secret" } },
        { kind: "answer", text: "yes" }
      ],
      Effect.gen(function* () {
        const verdicts = [yield* ask(), yield* ask(), yield* ask(), yield* ask()]
        assert.notInclude(JSON.stringify(verdicts), "sk-very-secret")
        assert.notInclude(lines.join("\n"), "sk-very-secret")
        const [received] = yield* (yield* ChatServer).received
        assert.strictEqual(received?.authorization, "Bearer sk-very-secret")
      }),
      { api_key: { env: "JUDGE_KEY" }, attempts: 1 }
    ).pipe(Effect.provide([environment({ JUDGE_KEY: "sk-very-secret" }), recorder]))
  })

  it.live("is missed when the layer is built, by its name", () =>
    Effect.gen(function* () {
      const built = yield* Effect.result(
        against([{ kind: "answer", text: "yes" }], ask(), { api_key: { env: "JUDGE_KEY" } })
      )
      assert.isTrue(Result.isFailure(built))
      if (Result.isFailure(built)) assert.include(String(built.failure), "JUDGE_KEY")
    }).pipe(Effect.provide(environment({})))
  )
})

it("chatUrl completes what people write", () => {
  const whole = "http://host:8000/v1/chat/completions"
  for (const written of [
    "http://host:8000",
    "http://host:8000/",
    "http://host:8000/v1",
    "http://host:8000/v1/",
    whole
  ]) {
    assert.strictEqual(chatUrl(written), whole)
  }
  assert.strictEqual(chatUrl("https://host/api/openai/v1"), "https://host/api/openai/v1/chat/completions")
})

it("shownUrl leaves out a user and password", () => {
  assert.strictEqual(shownUrl("https://me:secret@host/v1/x@y"), "https://host/v1/x@y")
  assert.strictEqual(shownUrl("http://host/v1"), "http://host/v1")
})

it("retryAfterMillis reads seconds and dates", () => {
  const now = Date.parse("Tue, 24 Nov 2026 10:00:00 GMT")
  assert.strictEqual(retryAfterMillis("2", now), 2000)
  assert.strictEqual(retryAfterMillis("Tue, 24 Nov 2026 10:00:05 GMT", now), 5000)
  assert.strictEqual(retryAfterMillis("Tue, 24 Nov 2026 09:00:00 GMT", now), 0)
  assert.isNull(retryAfterMillis("soon", now))
  assert.isNull(retryAfterMillis(undefined, now))
})
