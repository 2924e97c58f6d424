/** The judge: asks a language model whether an answer is the truth. It never fails: what went wrong is a verdict, and the completion unscored. */
import type { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import type { Verdict } from "@gradus/domain/Score"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import { saysNothing } from "../judge/Guard.ts"
import { type Judged, judgeMessages, PROMPT_DIGEST } from "../judge/Prompt.ts"
import { readVerdict } from "../judge/Verdict.ts"
import { askOnce, type ChatReply, chatUrl, shownUrl } from "./ChatCompletion.ts"
import { isRetryable, type JudgeFailure, JudgeLate } from "./JudgeFailure.ts"

const FIRST_WAIT_MILLIS = 250
const LONGEST_WAIT_MILLIS = 8_000

/** Milliseconds before the attempt after number `attempt` (from 1): doubled each time, and never less than the endpoint asks for. */
const waitAfter = (failure: JudgeFailure, attempt: number): number => {
  const backoff = Math.min(LONGEST_WAIT_MILLIS, FIRST_WAIT_MILLIS * 2 ** (attempt - 1))
  return failure._tag === "JudgeRefused" ? Math.max(backoff, failure.retryAfter ?? 0) : backoff
}

/** Tries until an attempt succeeds, cannot succeed, was the last, or the wait for the next would pass the deadline (ms on the clock). */
const persist = <R>(
  ask: Effect.Effect<ChatReply, JudgeFailure, R>,
  attempts: number,
  deadline: number,
  attempt = 1
): Effect.Effect<ChatReply, JudgeFailure, R> =>
  Effect.catch(
    ask,
    Effect.fnUntraced(function* (failure) {
      const wait = waitAfter(failure, attempt)
      const late = (yield* Clock.currentTimeMillis) + wait >= deadline
      if (!isRetryable(failure) || attempt >= attempts || late) return yield* failure
      yield* Effect.sleep(wait)
      return yield* persist(ask, attempts, deadline, attempt + 1)
    })
  )

const verdictOf = (spec: JudgeSpec, reply: ChatReply): Omit<Verdict, "ms"> => {
  const text = reply.choices[0].message.content ?? null
  return {
    verdict: text === null ? "unreadable" : readVerdict(text),
    reply: text,
    model: reply.model ?? spec.model,
    prompt_digest: PROMPT_DIGEST,
    prompt_tokens: reply.usage?.prompt_tokens ?? 0,
    completion_tokens: reply.usage?.completion_tokens ?? 0
  }
}

const withoutReply = (spec: JudgeSpec, verdict: "no" | "failed"): Omit<Verdict, "ms"> => ({
  verdict,
  reply: null,
  model: spec.model,
  prompt_digest: PROMPT_DIGEST,
  prompt_tokens: 0,
  completion_tokens: 0
})

/** Judges answers. `ms` is the time of all attempts, without the wait for a free place. */
export class Judge extends Context.Service<
  Judge,
  {
    /** Asks whether `answer` is `gold`. An answer that says nothing is `no` without a call. */
    readonly judge: (judged: Judged) => Effect.Effect<Verdict>
  }
>()("@gradus/rewards/Judge") {
  /**
   * Connects to an OpenAI-compatible endpoint: at most `concurrency` judgements at once; each has `attempts` tries in `deadline` seconds,
   * repeated on 429, 5xx and broken connections, no sooner than Retry-After. Fails when the key's variable is not set.
   */
  static readonly layer = (spec: JudgeSpec): Layer.Layer<Judge, Config.ConfigError, HttpClient.HttpClient> =>
    Layer.effect(
      Judge,
      Effect.gen(function* () {
        const http = yield* HttpClient.HttpClient
        const key = spec.api_key === undefined ? undefined : yield* Config.Redacted(spec.api_key.env)
        const places = yield* Semaphore.make(spec.concurrency)
        const url = chatUrl(spec.endpoint)

        const ask = Effect.fnUntraced(function* (judged: Judged) {
          const started = yield* Clock.currentTimeMillis
          const { model, temperature, max_tokens } = spec
          const call = { url, key, body: { model, messages: judgeMessages(judged), temperature, max_tokens } }
          const reply = persist(askOnce(http, call), spec.attempts, started + spec.deadline * 1000).pipe(
            Effect.timeoutOrElse({
              duration: spec.deadline * 1000,
              orElse: () => Effect.fail(new JudgeLate({ url: shownUrl(url), seconds: spec.deadline }))
            })
          )
          const verdict = yield* Effect.match(reply, {
            onSuccess: (said) => verdictOf(spec, said),
            onFailure: (failure) => ({ ...withoutReply(spec, "failed"), failure: failure.message })
          })
          return { ...verdict, ms: (yield* Clock.currentTimeMillis) - started }
        })

        const judge = Effect.fn("Judge.judge")(function* (judged: Judged) {
          if (saysNothing(judged.answer, judged.gold)) return { ...withoutReply(spec, "no"), ms: 0 }
          return yield* Semaphore.withPermit(places, ask(judged))
        })
        return { judge }
      })
    )
}
