import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import { type ChatBehaviour, ChatServer, type ChatServerOptions, type ReceivedChat } from "@gradus/testing/ChatServer"
import type { Script } from "@gradus/testing/Script"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Judge } from "../src/service/Judge.ts"
import { JudgeLedger } from "@gradus/domain/JudgeLedger"
import { VerdictCache } from "@gradus/domain/VerdictCache"

type Options = Partial<typeof JudgeSpec.Encoded>

const stores = Layer.mergeAll(
  VerdictCache.layerMemory(),
  JudgeLedger.layerMemory,
  RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory)),
  CircuitBreaker.layerStoreMemory()
)
const spec = (endpoint: string, options: Options) =>
  Schema.decodeSync(JudgeSpec)({ endpoint, model: "m", structured: "never", ...options })

const judgeOf = (options: Options) =>
  Layer.unwrap(Effect.map(ChatServer, ({ endpoint }) => Judge.layerShared(spec(endpoint, options), "test"))).pipe(
    Layer.provide(NodeHttpClient.layerUndici)
  )

const against = <A, E>(
  script: Script<ReceivedChat, ChatBehaviour>,
  options: Options,
  test: Effect.Effect<A, E, ChatServer | Judge | JudgeLedger>,
  server: ChatServerOptions = {}
) =>
  test.pipe(
    Effect.provide(judgeOf(options).pipe(Layer.provideMerge(Layer.mergeAll(ChatServer.layer(script, server), stores))))
  )

const ask = (answer: string, gold = "4") => Judge.use(({ judge }) => judge({ question: "2+2?", gold, answer }))
const answers = (count: number) => Array.from({ length: count }, (_, i) => `answer ${i}`)
const all = (count: number) => Effect.forEach(answers(count), (answer) => ask(answer), { concurrency: "unbounded" })
const requests = ChatServer.use(({ traffic }) => Effect.map(traffic, (seen) => seen.requests))
const spent = JudgeLedger.use(({ add }) => add("test", 0))
const YES: ChatBehaviour = { kind: "answer", text: "yes" }

describe.concurrent("the verdict cache", () => {
  it.live("answers the same question once, whoever asks and when", () =>
    against(
      [{ kind: "stall", ms: 30 }],
      {},
      Effect.gen(function* () {
        const together = yield* Effect.all([ask("four"), ask("four"), ask("five")], { concurrency: "unbounded" })
        const later = yield* ask("four")
        assert.strictEqual(yield* requests, 2)
        assert.deepStrictEqual(
          [...together, later].map(({ cached, prompt_tokens }) => [cached ?? false, prompt_tokens]),
          [
            [false, 11],
            [true, 11],
            [false, 11],
            [true, 11]
          ]
        )
      })
    )
  )

  it.live("forgets what was unreadable or failed", () =>
    against(
      [{ kind: "answer", text: "hm" }, { kind: "status", status: 400 }, YES],
      {},
      Effect.gen(function* () {
        const verdicts = [yield* ask("four"), yield* ask("four"), yield* ask("four"), yield* ask("four")]
        assert.deepStrictEqual(
          verdicts.map(({ verdict }) => verdict),
          ["unreadable", "failed", "yes", "yes"]
        )
        assert.strictEqual(yield* requests, 3)
      })
    )
  )

  it.live("is asked again by those who waited for somebody that gave up", () =>
    against(
      [{ kind: "stall", ms: 300 }, YES],
      {},
      Effect.gen(function* () {
        const first = yield* Effect.forkChild(ask("four"), { startImmediately: true })
        const second = yield* Effect.forkChild(ask("four"), { startImmediately: true })
        yield* Effect.repeat(Effect.delay(requests, 5), { until: (count) => count === 1 })
        yield* Fiber.interrupt(first)
        assert.strictEqual((yield* Fiber.join(second)).verdict, "yes")
        assert.strictEqual(yield* requests, 2)
      })
    )
  )
})

describe.concurrent("the judge's limits", () => {
  it.live("spends no more than the budget, however many ask at once", () =>
    against(
      [{ kind: "stall", ms: 10 }],
      // the server says 11 prompt and 3 completion tokens: 17 a call at these prices for a million
      { prices: { m: { prompt: 1_000_000, completion: 2_000_000 } }, budget: 1_000, max_tokens: 8 },
      Effect.gen(function* () {
        const verdicts = yield* all(12)
        const said = verdicts.filter(({ verdict }) => verdict === "yes")
        const refused = verdicts.filter(({ verdict }) => verdict === "failed")
        assert.isAbove(said.length, 0)
        assert.isAbove(refused.length, 0)
        assert.include(refused[0]?.failure, "budget of 1000")
        assert.strictEqual(yield* requests, said.length)
        assert.strictEqual(said[0]?.cost, 17)
        assert.strictEqual(yield* spent, 17 * said.length)
      })
    )
  )

  it.live("gives money back for calls that were refused", () =>
    against(
      [{ kind: "status", status: 400 }],
      { prices: { m: { prompt: 1, completion: 1 } }, budget: 1 },
      Effect.gen(function* () {
        assert.strictEqual((yield* ask("four")).verdict, "failed")
        assert.strictEqual(yield* spent, 0)
      })
    )
  )

  it.live("counts the estimate of a judge that does not say its usage, and stops at the budget", () =>
    against(
      [YES],
      // 100 tokens of completion at 1 a token are all that a call costs
      { prices: { m: { prompt: 0, completion: 1_000_000 } }, budget: 250, max_tokens: 100 },
      Effect.gen(function* () {
        const verdicts = [yield* ask("answer 1"), yield* ask("answer 2"), yield* ask("answer 3")]
        assert.deepStrictEqual(
          verdicts.map(({ verdict, cost, completion_tokens }) => [verdict, cost, completion_tokens]),
          [
            ["yes", 100, 100],
            ["yes", 100, 100],
            ["failed", 0, 0]
          ]
        )
        assert.isAbove(verdicts[0]?.prompt_tokens ?? 0, 100)
        assert.strictEqual(yield* spent, 200)
      }),
      { usage: false }
    )
  )

  it.live.each<readonly [string, ChatBehaviour, number]>([
    ["another JSON", { kind: "json", body: { error: "busy" } }, 8],
    ["half of its JSON", { kind: "truncated_json" }, 8],
    ["a body that breaks off", { kind: "cut" }, 8],
    ["nothing before the deadline", { kind: "stall", ms: 60_000 }, 8],
    ["status 500", { kind: "status", status: 500 }, 0],
    ["a connection that breaks before it", { kind: "reset" }, 0]
  ])("counts what may be billed where the answer is %s", ([, behaviour, cost]) =>
    against(
      [behaviour],
      {
        prices: { m: { prompt: 0, completion: 1_000_000 } },
        budget: 100,
        max_tokens: 8,
        deadline: 0.5,
        attempts: 1
      },
      Effect.gen(function* () {
        const verdict = yield* ask("four")
        assert.strictEqual(verdict.verdict, "failed")
        assert.strictEqual(verdict.cost, cost)
        assert.strictEqual(yield* spent, cost)
      })
    )
  )

  it.live("shows the money of attempts that failed with the one that answered", () =>
    against(
      [{ kind: "cut" }, YES],
      { prices: { m: { prompt: 0, completion: 1_000_000 } }, budget: 100, max_tokens: 8 },
      Effect.gen(function* () {
        const verdict = yield* ask("four")
        assert.deepInclude(verdict, { verdict: "yes", cost: 11, completion_tokens: 11 })
        assert.strictEqual(yield* spent, 11)
      })
    )
  )

  it.live("is not built with a budget that has no price to count with", () =>
    Effect.gen(function* () {
      const built = yield* Effect.exit(against([YES], { budget: 1 }, ask("four")))
      assert.include(String(built), "needs a price of m")
    })
  )

  it.live("keeps to the requests a minute", () =>
    against(
      [YES],
      // a bucket of 120 refills by one every half second
      { requests_per_minute: 120, concurrency: 200 },
      Effect.gen(function* () {
        const started = performance.now()
        const verdicts = yield* all(122)
        assert.isTrue(verdicts.every(({ verdict }) => verdict === "yes"))
        assert.isAtLeast(performance.now() - started, 900)
      })
    )
  )

  it.live("keeps to the tokens a minute, by its estimate", () =>
    against(
      [YES],
      { tokens_per_minute: 60_000, max_tokens: 15_000, concurrency: 200 },
      Effect.gen(function* () {
        const started = performance.now()
        yield* all(4)
        // four estimates pass the bucket by what the prompts are estimated at
        assert.isAtLeast(performance.now() - started, 400)
      })
    )
  )
})

describe.concurrent("the circuit", () => {
  it.live("stops calls to an endpoint that fails, and tries it again later", () =>
    against(
      (_, index) => (index < 3 ? { kind: "status", status: 503 } : YES),
      { attempts: 1, breaker: { failures: 3, open_seconds: 2 } },
      Effect.gen(function* () {
        for (const answer of answers(3)) assert.strictEqual((yield* ask(answer)).verdict, "failed")
        const stopped = yield* ask("four")
        assert.match(stopped.failure ?? "", /is not called for \d+ ms/)
        assert.strictEqual(yield* requests, 3)
        yield* Effect.sleep("2100 millis")
        assert.strictEqual((yield* ask("four")).verdict, "yes")
      })
    )
  )

  it.live("is open for as long as an endpoint that limits rates asks for, and not where it asks for nothing", () =>
    Effect.gen(function* () {
      const breaker = { failures: 3, open_seconds: 0.1 }
      const limited = (retryAfter: { readonly retryAfter?: number }) =>
        against(
          [{ kind: "status", status: 429, ...retryAfter }],
          { attempts: 1, breaker },
          Effect.gen(function* () {
            for (const answer of answers(3)) yield* ask(answer)
            const { failure = "" } = yield* ask("four")
            return [failure.replace(/\d{4} ms/, "N ms"), yield* requests] as const
          })
        )
      const [asked, calls] = yield* limited({ retryAfter: 5 })
      assert.match(asked, /is not called for N ms/)
      assert.strictEqual(calls, 3)
      const [refused, all4] = yield* limited({})
      assert.match(refused, /status 429/)
      assert.strictEqual(all4, 4)
    })
  )

  it.live("does not open on refused requests", () =>
    against(
      [{ kind: "status", status: 400 }],
      { attempts: 1, breaker: { failures: 2, open_seconds: 5 } },
      Effect.gen(function* () {
        yield* all(6)
        assert.strictEqual(yield* requests, 6)
      })
    )
  )
})

describe.concurrent("an outage", () => {
  it.live("leaves completions unscored at once, or is waited for, as the manifest says", () =>
    Effect.gen(function* () {
      const down: Script<ReceivedChat, ChatBehaviour> = (_, index) => (index < 2 ? { kind: "reset" } : YES)
      const unscored = yield* against(down, { attempts: 1 }, ask("four"))
      assert.strictEqual(unscored.verdict, "failed")
      const waited = yield* against(down, { attempts: 2, outage: "wait", patience: 20 }, ask("four"))
      assert.strictEqual(waited.verdict, "yes")
      assert.isAtLeast(waited.ms, 2000)
    })
  )

  it.live("is waited for as well where the judge is there and too busy for every attempt", () =>
    Effect.gen(function* () {
      const busy: Script<ReceivedChat, ChatBehaviour> = (_, index) =>
        index < 2 ? { kind: "status", status: 429 } : YES
      const waited = yield* against(busy, { attempts: 1, outage: "wait", patience: 20 }, ask("four"))
      assert.strictEqual(waited.verdict, "yes")
      const disliked = yield* against(
        [{ kind: "status", status: 400 }],
        { attempts: 1, outage: "wait", patience: 20 },
        ask("four")
      )
      assert.strictEqual(disliked.verdict, "failed")
      assert.isBelow(disliked.ms, 10_000)
    })
  )

  it.live("is not waited for longer than the manifest's patience", () =>
    against(
      [{ kind: "reset" }],
      { attempts: 1, outage: "wait", patience: 2.5 },
      Effect.gen(function* () {
        const started = performance.now()
        assert.strictEqual((yield* ask("four")).verdict, "failed")
        assert.isBelow(performance.now() - started, 10_000)
      })
    )
  )
})
