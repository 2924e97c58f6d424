/** One endpoint of a judge: its places, its circuit, and whether it can be held to a JSON schema. */
import type { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import type * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import type { ChatReply } from "../judge/ChatReply.ts"
import { estimateUsage, type Usage } from "../judge/Price.ts"
import { type Judged, judgeMessages } from "../judge/Prompt.ts"
import { holdsSchema, PROBE_MESSAGES, VERDICT_FORMAT } from "../judge/Structured.ts"
import { askOnce, type ChatCall, chatUrl, shownUrl } from "./ChatCompletion.ts"
import { askedWait, isOutage, JudgeCircuitOpen, type JudgeFailure, JudgeLate } from "./JudgeFailure.ts"
import type { JudgeLimits } from "./JudgeLimits.ts"

export interface Address {
  readonly endpoint: string
  readonly model: string
  readonly key: Redacted.Redacted | undefined
}

/** A reply, and the rule by which it was asked to be written. */
export interface Answered {
  readonly reply: ChatReply
  readonly verdict: JudgeSpec["verdict"]
}

export const usageOf = (reply: ChatReply): Usage => ({
  prompt_tokens: reply.usage?.prompt_tokens ?? 0,
  completion_tokens: reply.usage?.completion_tokens ?? 0
})

/** What a call says about the endpoint's health. A refused request shows that it works; 429 says nothing. */
const classify = (exit: Exit.Exit<ChatReply, JudgeFailure>): CircuitBreaker.Outcome => {
  if (Exit.isSuccess(exit)) return CircuitBreaker.success
  const failure = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  if (failure === undefined) return CircuitBreaker.ignored
  if (isOutage(failure)) return CircuitBreaker.failure({ retryAfter: askedWait(failure) })
  return failure._tag === "JudgeRefused" && failure.status !== 429 ? CircuitBreaker.success : CircuitBreaker.ignored
}

/** Milliseconds between two looks at a circuit that is being tried by another call. */
const PROBING_MILLIS = 100

/** Makes an endpoint. Its circuit is shared with every other process that uses the same store. */
export const makeEndpoint = Effect.fnUntraced(function* (
  spec: JudgeSpec,
  address: Address,
  http: HttpClient.HttpClient,
  limits: JudgeLimits
) {
  const url = chatUrl(address.endpoint)
  const shown = shownUrl(url)
  const circuit = `judge/${shown}`
  const places = yield* Semaphore.make(spec.concurrency)
  const breaker = yield* CircuitBreaker.make({
    tripPolicy: CircuitBreaker.consecutive(spec.breaker.failures),
    openDuration: Duration.seconds(spec.breaker.open_seconds)
  })
  const probing = yield* Semaphore.make(1)
  let structured: boolean | undefined = spec.structured === "never" ? false : undefined
  let load = 0

  const send = (messages: ChatCall["body"]["messages"], held: boolean, millis: number) => {
    const { temperature, max_tokens } = spec
    const body = { model: address.model, messages, temperature, max_tokens }
    const call = askOnce(http, {
      url,
      key: address.key,
      body: held ? { ...body, response_format: VERDICT_FORMAT } : body
    }).pipe(
      Effect.timeoutOrElse({
        duration: millis,
        orElse: () => Effect.fail(new JudgeLate({ url: shown, seconds: spec.deadline }))
      })
    )
    return breaker
      .execute(call, { key: circuit, classify })
      .pipe(
        Effect.catchTag("CircuitBreakerError", (error) =>
          Effect.fail(new JudgeCircuitOpen({ url: shown, retryAfter: openFor(error.reason) }))
        )
      )
  }

  /** Asks once whether the endpoint honours a JSON schema. While it cannot be asked, it does not. */
  const isStructured = Semaphore.withPermit(
    probing,
    Effect.gen(function* () {
      if (structured !== undefined) return structured
      const exit = yield* Effect.exit(send(PROBE_MESSAGES, true, spec.deadline * 1000))
      if (Exit.isSuccess(exit)) structured = holdsSchema(exit.value.choices[0].message.content ?? "")
      else {
        const failure = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
        if (failure?._tag === "JudgeRefused" && failure.status < 500 && failure.status !== 429) structured = false
      }
      return structured ?? false
    })
  )

  /** Makes one call, when there is a place. `millis` is the time that is left for it; waiting for a place or a rate is not counted. */
  const ask = (judged: Judged, swapped: boolean, millis: number, spent: (millis: number) => void) =>
    Semaphore.withPermit(
      places,
      Effect.gen(function* () {
        const held = structured ?? (yield* isStructured)
        const verdict = held ? "json_last" : spec.verdict
        const messages = judgeMessages(judged, { truth: spec.truth, verdict, swapped })
        const estimate = estimateUsage(messages, spec.max_tokens)
        yield* limits.admit(shown, estimate)
        const call = send(messages, held, millis)
        const [took, exit] = yield* Effect.timed(Effect.exit(limits.paying(address.model, estimate, call, usageOf)))
        spent(Duration.toMillis(took))
        const reply: ChatReply = yield* exit
        return { reply, verdict } satisfies Answered
      })
    ).pipe(
      Effect.onExit(() =>
        Effect.sync(() => {
          load--
        })
      )
    )

  return {
    ask: (...[judged, swapped, millis, spent]: Parameters<typeof ask>): ReturnType<typeof ask> => {
      load++
      return ask(judged, swapped, millis, spent)
    },
    /** Calls that are made or wait for a place. */
    load: () => load,
    /** Whether calls are let through; an unknown state counts as open to calls. */
    works: breaker.state(circuit).pipe(
      Effect.map((state) => state._tag !== "Open" || Duration.toMillis(state.retryAfter) <= 0),
      Effect.orElseSucceed(() => true)
    )
  }
})

export type JudgeEndpoint = Effect.Success<ReturnType<typeof makeEndpoint>>

const openFor = (reason: CircuitBreaker.CircuitBreakerErrorReason): number =>
  reason._tag === "CircuitOpen" ? Duration.toMillis(reason.retryAfter) : PROBING_MILLIS
