/** The wire to one endpoint of a judge: one call at a time under its circuit, which every process that uses the same store shares. */
import type { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import type * as Redacted from "effect/Redacted"
import type { ChatReply } from "../judge/ChatReply.ts"
import { VERDICT_FORMAT } from "../judge/Structured.ts"
import { askOnce, type ChatCall, chatUrl, shownUrl } from "./ChatCompletion.ts"
import { askedWait, isOutage, JudgeCircuitOpen, type JudgeFailure, JudgeLate } from "./JudgeFailure.ts"

export interface Address {
  readonly endpoint: string
  readonly model: string
  readonly key: Redacted.Redacted | undefined
}

/** The failure of an exit; undefined where it succeeded or was interrupted. */
export const failureOf = <A>(exit: Exit.Exit<A, JudgeFailure>): JudgeFailure | undefined =>
  Exit.isSuccess(exit) ? undefined : Option.getOrUndefined(Cause.findErrorOption(exit.cause))

/**
 * What a call says about the endpoint's health. A refused request shows that it works. 429 says nothing, unless it says how long to wait: after as
 * many of them in a row as of other failures the circuit is open for that long, so that every process that shares it waits.
 */
const classify = (exit: Exit.Exit<ChatReply, JudgeFailure>): CircuitBreaker.Outcome => {
  if (Exit.isSuccess(exit)) return CircuitBreaker.success
  const failure = failureOf(exit)
  if (failure === undefined) return CircuitBreaker.ignored
  if (isOutage(failure) || askedWait(failure) > 0) return CircuitBreaker.failure({ retryAfter: askedWait(failure) })
  return failure._tag === "JudgeRefused" && failure.status !== 429 ? CircuitBreaker.success : CircuitBreaker.ignored
}

/** Milliseconds between two looks at a circuit that is being tried by another call. */
const PROBING_MILLIS = 100

const openFor = (reason: CircuitBreaker.CircuitBreakerErrorReason): number =>
  reason._tag === "CircuitOpen" ? Duration.toMillis(reason.retryAfter) : PROBING_MILLIS

/** Makes the wire to an endpoint. */
export const makeWire = Effect.fnUntraced(function* (spec: JudgeSpec, address: Address, http: HttpClient.HttpClient) {
  const url = chatUrl(address.endpoint)
  const shown = shownUrl(url)
  const circuit = `judge/${shown}`
  const breaker = yield* CircuitBreaker.make({
    tripPolicy: CircuitBreaker.consecutive(spec.breaker.failures),
    openDuration: Duration.seconds(spec.breaker.open_seconds)
  })

  /** Sends one call that may take so many milliseconds; `held` asks for a reply of the verdict's JSON schema. */
  const send = (
    messages: ChatCall["body"]["messages"],
    held: boolean,
    millis: number
  ): Effect.Effect<ChatReply, JudgeFailure> => {
    const { temperature, max_tokens } = spec
    const plain = { model: address.model, messages, temperature, max_tokens }
    const body = held ? { ...plain, response_format: VERDICT_FORMAT } : plain
    const late = new JudgeLate({ url: shown, seconds: spec.deadline })
    return askOnce(http, { url, key: address.key, body }).pipe(
      Effect.timeoutOrElse({ duration: millis, orElse: () => Effect.fail(late) }),
      breaker.execute({ key: circuit, classify }),
      Effect.catchTag("CircuitBreakerError", ({ reason }) =>
        Effect.fail(new JudgeCircuitOpen({ url: shown, retryAfter: openFor(reason) }))
      )
    )
  }

  /** Whether calls are let through; an unknown state counts as open to calls. */
  const works = breaker.state(circuit).pipe(
    Effect.map((state) => state._tag !== "Open" || Duration.toMillis(state.retryAfter) <= 0),
    Effect.orElseSucceed(() => true)
  )
  return { shown, send, works }
})
