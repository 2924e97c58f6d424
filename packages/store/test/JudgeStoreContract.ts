/** The contract of what judges share: every implementation of the four ports passes it. */
import { assert, describe, it } from "@effect/vitest"
import { ofText } from "@gradus/domain/Digest"
import { JudgeLedger } from "@gradus/domain/JudgeLedger"
import type { Verdict } from "@gradus/domain/Score"
import { VerdictCache } from "@gradus/domain/VerdictCache"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as RateLimiter from "effect/persistence/RateLimiter"
import type * as Scope from "effect/Scope"

export type JudgePorts = VerdictCache | JudgeLedger | RateLimiter.RateLimiterStore | CircuitBreaker.CircuitBreakerStore

export interface JudgeStores {
  readonly name: string
  /** A place of its own for a test: a file, a prefix of keys. */
  readonly place: Effect.Effect<string, never, Scope.Scope>
  /** Connects to a place as a new process would. */
  readonly connect: (place: string) => Layer.Layer<JudgePorts, unknown>
  /** Whether two connections to a place see the same. */
  readonly shared: boolean
}

const YES: Verdict = {
  verdict: "yes",
  reply: "yes\u2028 \u{1F600}",
  model: "m",
  prompt_digest: "d",
  prompt_tokens: 11,
  completion_tokens: 3,
  ms: 1.5,
  cost: 0.25,
  votes: [{ model: "m", verdict: "yes", reply: null }]
}

const cache = {
  get: (key: string) => VerdictCache.use(({ get }) => get(ofText(key))),
  put: (key: string, verdict: Verdict) => VerdictCache.use(({ put }) => put(ofText(key), verdict))
}
const add = (account: string, amount: number) => JudgeLedger.use((ledger) => ledger.add(account, amount))
const take = (key: string, tokens: number, limit: number) =>
  RateLimiter.make.pipe(
    Effect.flatMap((limiter) =>
      limiter.consume({ key, limit, tokens, window: "1 minute", algorithm: "token-bucket", onExceeded: "delay" })
    ),
    Effect.map(({ delay, remaining }) => ({ millis: Duration.toMillis(delay), remaining }))
  )
const breakerOf = (failures: number, open: number) =>
  CircuitBreaker.make({ tripPolicy: CircuitBreaker.consecutive(failures), openDuration: open, onStoreError: "fail" })
/** What came of a call: what was said, `down`, or the tag of the circuit's refusal. */
const outcomeOf = (call: Effect.Effect<string, string | CircuitBreaker.CircuitBreakerError>) =>
  Effect.match(call, {
    onSuccess: (said) => said,
    onFailure: (failure) => (typeof failure === "string" ? failure : failure.reason._tag)
  })

/** Runs the contract. */
export const judgeStoreContract = ({ connect, name, place, shared }: JudgeStores): void => {
  /** Gives a test the clients of so many processes. */
  const clients = <A>(
    test: (one: Context.Context<JudgePorts>, two: Context.Context<JudgePorts>) => Effect.Effect<A, unknown, Scope.Scope>
  ) =>
    Effect.scoped(
      Effect.gen(function* () {
        const where = yield* place
        const one = yield* Layer.build(Layer.fresh(connect(where)))
        yield* test(one, shared ? yield* Layer.build(Layer.fresh(connect(where))) : one)
      })
    )

  describe(`the judges' store: ${name}`, () => {
    it.live("a verdict that was put is there as it was, for every client; others are not", () =>
      clients((one, two) =>
        Effect.gen(function* () {
          assert.isUndefined(yield* Effect.provide(cache.get("a"), two))
          yield* Effect.provide(cache.put("a", YES), one)
          assert.deepStrictEqual(yield* Effect.provide(cache.get("a"), two), YES)
          assert.isUndefined(yield* Effect.provide(cache.get("b"), two))
          yield* Effect.provide(cache.put("a", { ...YES, verdict: "no" }), two)
          assert.strictEqual((yield* Effect.provide(cache.get("a"), one))?.verdict, "no")
        })
      )
    )

    it.live("sums are of one account, whoever adds, and every addition counts once", () =>
      clients((one, two) =>
        Effect.gen(function* () {
          const sums = yield* Effect.forEach(
            Array.from({ length: 200 }, (_, i) => i),
            (i) => Effect.provide(add("a", 0.5), i % 2 === 0 ? one : two),
            { concurrency: "unbounded" }
          )
          assert.deepStrictEqual(
            sums.toSorted((a, b) => a - b),
            Array.from({ length: 200 }, (_, i) => (i + 1) / 2)
          )
          assert.strictEqual(yield* Effect.provide(add("b", 0), two), 0)
          assert.strictEqual(yield* Effect.provide(add("a", -100), two), 0)
        })
      )
    )

    it.live("a bucket's tokens are taken by all, and what is taken beyond them is waited for", () =>
      clients((one, two) =>
        Effect.gen(function* () {
          const limit = 60
          assert.strictEqual((yield* Effect.provide(take("r", 40, limit), one)).remaining, 20)
          assert.strictEqual((yield* Effect.provide(take("r", 20, limit), two)).remaining, 0)
          const over = yield* Effect.provide(take("r", 3, limit), one)
          assert.strictEqual(over.remaining, -3)
          // one token a second: three of them, less what passed since the bucket was full
          assert.isAtMost(over.millis, 3000)
          assert.isAbove(over.millis, 1000)
          assert.strictEqual((yield* Effect.provide(take("other", 1, limit), two)).remaining, 59)
        })
      )
    )

    it.live(
      "a circuit that one opens is open for all, one call tries it later, and its success closes it for all",
      () =>
        clients((one, two) =>
          Effect.gen(function* () {
            const first = yield* Effect.provide(breakerOf(2, 1000), one)
            const second = yield* Effect.provide(breakerOf(2, 1000), two)
            const call = (breaker: typeof first, outcome: Effect.Effect<string, string>) =>
              outcomeOf(breaker.execute(outcome, { key: "e" }))
            const down = Effect.fail("down")
            assert.deepStrictEqual([yield* call(first, down), yield* call(second, down)], ["down", "down"])
            assert.strictEqual(yield* call(first, Effect.succeed("ok")), "CircuitOpen")
            assert.strictEqual(yield* call(second, Effect.succeed("ok")), "CircuitOpen")
            assert.strictEqual((yield* second.state("e"))._tag, "Open")
            yield* Effect.sleep(1100)
            const tried = yield* Effect.forkChild(call(first, Effect.delay(Effect.succeed("ok"), 1500)), {
              startImmediately: true
            })
            yield* Effect.sleep(50)
            assert.strictEqual(yield* call(second, Effect.succeed("ok")), "CircuitHalfOpen")
            assert.strictEqual(yield* Fiber.join(tried), "ok")
            assert.strictEqual((yield* second.state("e"))._tag, "Closed")
            assert.strictEqual(yield* call(second, Effect.succeed("ok")), "ok")
          })
        )
    )
  })
}
