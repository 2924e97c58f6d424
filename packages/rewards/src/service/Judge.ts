/** The judge: asks language models whether an answer is the truth. It never fails: what went wrong is a verdict, and the completion unscored. */
import { type Digest, ofJson } from "@gradus/domain/Digest"
import { JudgeLedger } from "@gradus/domain/JudgeLedger"
import type { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import type { Verdict } from "@gradus/domain/Score"
import { VerdictCache } from "@gradus/domain/VerdictCache"
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { guard } from "../judge/Guard.ts"
import { type Judged, promptDigest, truthFor } from "../judge/Prompt.ts"
import { rulesAsked } from "../judge/Structured.ts"
import { decide, type Vote, voteOf } from "../judge/Vote.ts"
import { JudgeUnpriced } from "./JudgeFailure.ts"
import { makeLimits } from "./JudgeLimits.ts"
import { type JudgeSeat, makeSeat } from "./JudgeSeat.ts"

/** The manifest is refused for this; whoever builds a spec by hand has a bug. */
const checkPrices = (spec: JudgeSpec): Effect.Effect<void, JudgeUnpriced> => {
  const models = [spec.model, ...spec.panel.map(({ model }) => model)]
  const unpriced = models.find((model) => !Object.hasOwn(spec.prices, model))
  return spec.budget === undefined || unpriced === undefined
    ? Effect.void
    : Effect.fail(new JudgeUnpriced({ model: unpriced }))
}

/**
 * All that a verdict depends on, with every prompt that may be sent for it; addresses, keys and limits are not part of it. Which of the
 * prompts it is depends on the endpoint, and is not known before a call.
 */
const identify = (spec: JudgeSpec, judged: Judged): Digest =>
  ofJson({
    version: 3,
    models: [spec.model, ...spec.panel.map(({ model }) => model)],
    prompts: rulesAsked(spec).map((rule) => promptDigest(truthFor(spec, judged.gold), rule)),
    verdict: spec.verdict,
    structured: spec.structured,
    temperature: spec.temperature,
    max_tokens: spec.max_tokens,
    swap: spec.swap,
    repeats: spec.repeats,
    question: judged.question?.toWellFormed() ?? null,
    gold: judged.gold.toWellFormed(),
    answer: judged.answer.toWellFormed()
  })

/** A verdict that was given before: its usage and cost are those of then, and nothing is paid now. */
const known = (verdict: Verdict): Verdict => ({ ...verdict, ms: 0, cached: true })

const isSaid = ({ verdict }: Verdict): boolean => verdict === "yes" || verdict === "no"

const make = Effect.fnUntraced(function* (spec: JudgeSpec, account: string) {
  yield* Effect.orDie(checkPrices(spec))
  const limits = yield* makeLimits(spec, account)
  const cache = yield* VerdictCache
  const seats = yield* Effect.forEach([spec, ...spec.panel], (seat) => makeSeat(spec, seat, limits))
  const asking = new Map<Digest, Deferred.Deferred<Verdict | undefined>>()
  const orders = Array.from({ length: spec.repeats }, () => (spec.swap ? [false, true] : [false])).flat()

  const askSeat = (seat: JudgeSeat, judged: Judged): Effect.Effect<ReadonlyArray<Vote>> =>
    Effect.forEach(
      orders,
      (swapped) => Effect.map(seat.ask(judged, swapped), (asked) => voteOf(spec, seat.model, judged, asked)),
      {
        concurrency: "unbounded"
      }
    )

  const ask = (judged: Judged): Effect.Effect<Verdict> =>
    Effect.map(
      Effect.forEach(seats, (seat) => askSeat(seat, judged), { concurrency: "unbounded" }),
      decide
    )

  /** Asks once for all who want the same at the same time, and keeps what was said. Who waits asks itself where the asker gave up. */
  const askOnce = (judged: Judged, key: Digest): Effect.Effect<Verdict> =>
    Effect.gen(function* () {
      const before = yield* cache.get(key)
      if (before !== undefined) return known(before)
      const other = asking.get(key)
      if (other !== undefined) {
        const said = yield* Deferred.await(other)
        return said === undefined ? yield* askOnce(judged, key) : known(said)
      }
      const mine = yield* Deferred.make<Verdict | undefined>()
      asking.set(key, mine)
      return yield* ask(judged).pipe(
        Effect.tap((verdict) => (isSaid(verdict) ? cache.put(key, verdict) : Effect.void)),
        Effect.onExit((exit) => {
          asking.delete(key)
          return Deferred.succeed(mine, Exit.isSuccess(exit) ? exit.value : undefined)
        })
      )
    })

  /** Guards an answer, and asks about it by `how`. No prompt is sent for one that is refused: the manifest's stands for it. */
  const guarded = (judged: Judged, how: (judged: Judged) => Effect.Effect<Verdict>): Effect.Effect<Verdict> => {
    const refused = guard(judged, spec.answer_characters)
    if (refused === undefined) return how(judged)
    const usage = { prompt_tokens: 0, completion_tokens: 0, ms: 0 }
    return Effect.succeed({
      verdict: "no",
      reply: null,
      model: spec.model,
      prompt_digest: promptDigest(truthFor(spec, judged.gold), spec.verdict),
      ...usage,
      guard: refused
    })
  }

  return {
    judge: Effect.fn("Judge.judge")((judged: Judged) => guarded(judged, () => askOnce(judged, identify(spec, judged)))),
    judgeAfresh: Effect.fn("Judge.judgeAfresh")((judged: Judged) => guarded(judged, ask))
  }
})

/** Judges answers. `ms` is the time of all attempts, without the wait for a free place. */
export class Judge extends Context.Service<
  Judge,
  {
    /** Asks whether `answer` is `gold`. An answer that the guard refuses is `no` without a call. */
    readonly judge: (judged: Judged) => Effect.Effect<Verdict>
    /** The same, without looking into the cache or filling it: for calibration. */
    readonly judgeAfresh: (judged: Judged) => Effect.Effect<Verdict>
  }
>()("@gradus/rewards/Judge") {
  /**
   * Connects to OpenAI-compatible endpoints: each judgement has `attempts` tries in `deadline` seconds, repeated on 429, 5xx and broken
   * connections, no sooner than Retry-After. What is counted (rates, circuits, money, verdicts) is shared with every process that uses
   * the same stores; the budget is that of `account`. Fails when the variable of a key is not set.
   */
  static readonly layerShared = (
    spec: JudgeSpec,
    account: string
  ): Layer.Layer<
    Judge,
    Config.ConfigError,
    HttpClient.HttpClient | VerdictCache | JudgeLedger | RateLimiter.RateLimiter | CircuitBreaker.CircuitBreakerStore
  > => Layer.effect(Judge, make(spec, account))

  /** Connects with all that is counted in this process only. */
  static readonly layer = (spec: JudgeSpec): Layer.Layer<Judge, Config.ConfigError, HttpClient.HttpClient> =>
    Judge.layerShared(spec, "process").pipe(
      Layer.provide([
        VerdictCache.layerMemory(),
        JudgeLedger.layerMemory,
        RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory)),
        CircuitBreaker.layerStoreMemory()
      ])
    )
}
