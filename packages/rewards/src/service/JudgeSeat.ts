/** One judge: a model behind one or more endpoints, asked until it answers or its time is over. */
import type { JudgeSpec, VerdictRule } from "@gradus/domain/manifest/Rewards"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Semaphore from "effect/Semaphore"
import type { ChatReply } from "../judge/ChatReply.ts"
import { addUsage, FREE, type Usage } from "../judge/Price.ts"
import type { Judged } from "../judge/Prompt.ts"
import { type JudgeEndpoint, makeEndpoint, type Sent } from "./JudgeEndpoint.ts"
import { askedWait, isRetryable, isWaitedFor, type JudgeFailure } from "./JudgeFailure.ts"
import type { JudgeLimits } from "./JudgeLimits.ts"

const FIRST_WAIT_MILLIS = 250
const LONGEST_WAIT_MILLIS = 8_000
/** Milliseconds between two judgements' attempts at an endpoint that is down, where the manifest says to wait. */
const OUTAGE_WAIT_MILLIS = 2_000

/** Milliseconds before the attempt after number `attempt` (from 1): doubled each time, and never less than the endpoint asks for. */
const waitAfter = (failure: JudgeFailure, attempt: number): number =>
  Math.max(Math.min(LONGEST_WAIT_MILLIS, FIRST_WAIT_MILLIS * 2 ** (attempt - 1)), askedWait(failure))

/** Picks the least busy endpoint of those that work; the one that failed last only where there is no other. */
const pick = Effect.fnUntraced(function* (
  endpoints: readonly [JudgeEndpoint, ...ReadonlyArray<JudgeEndpoint>],
  failed?: JudgeEndpoint
) {
  const states = yield* Effect.forEach(endpoints, (endpoint) =>
    Effect.map(endpoint.works, (works) => ({ endpoint, works }))
  )
  const rank = ({ endpoint, works }: (typeof states)[number]): number => (works ? 0 : 2) + (endpoint === failed ? 1 : 0)
  return states.reduce((best, one) =>
    rank(one) < rank(best) || (rank(one) === rank(best) && one.endpoint.load() < best.endpoint.load()) ? one : best
  ).endpoint
})

/** What was said in the end, the milliseconds of all attempts and the waits between them, and the tokens that all of them are charged with. */
export interface Asked {
  readonly outcome: ChatReply | JudgeFailure
  readonly ms: number
  readonly usage: Usage
  /** The rule that the last call was asked to reply by; the manifest's where none was sent. */
  readonly verdict: VerdictRule
}

/** Makes a judge of a panel. Fails when the variable that holds its key is not set. */
export const makeSeat = Effect.fnUntraced(function* (
  spec: JudgeSpec,
  seat: Pick<JudgeSpec, "endpoint" | "model" | "api_key"> & { readonly replicas?: ReadonlyArray<string> },
  limits: JudgeLimits
) {
  const http = yield* HttpClient.HttpClient
  const key = seat.api_key === undefined ? undefined : yield* Config.Redacted(seat.api_key.env)
  const make = (endpoint: string) => makeEndpoint(spec, { endpoint, model: seat.model, key }, http, limits)
  const endpoints = [yield* make(seat.endpoint), ...(yield* Effect.forEach(seat.replicas ?? [], make))] as const
  const deadline = spec.deadline * 1000

  // An endpoint is chosen when there is a place, not before: none is idle while another has a queue.
  const places = yield* Semaphore.make(spec.concurrency * endpoints.length)

  const askSomewhere = Effect.fnUntraced(function* (
    judged: Judged,
    swapped: boolean,
    millis: number,
    sent: Sent,
    failed: JudgeEndpoint | undefined
  ) {
    const endpoint: JudgeEndpoint = yield* pick(endpoints, failed)
    const asked = endpoint.ask(judged, swapped, millis, sent)
    const outcome: ChatReply | JudgeFailure = yield* Effect.match(asked, {
      onSuccess: (reply) => reply,
      onFailure: (failure) => failure
    })
    return [endpoint, outcome] as const
  })

  /** Tries until an attempt succeeds, cannot succeed, was the last, or the wait for the next would pass the deadline. */
  const persist = Effect.fnUntraced(function* (judged: Judged, swapped: boolean) {
    let ms = 0
    let usage = FREE
    let { verdict } = spec
    let failed: JudgeEndpoint | undefined
    const sent: Sent = (spent, rule) => {
      ms += spent.ms
      usage = addUsage(usage, spent.usage)
      verdict = rule
    }
    for (let attempt = 1; ; attempt++) {
      const placed = Semaphore.withPermit(places, askSomewhere(judged, swapped, deadline - ms, sent, failed))
      const [endpoint, outcome]: readonly [JudgeEndpoint, ChatReply | JudgeFailure] = yield* placed
      if (!("_tag" in outcome)) return { outcome, ms, usage, verdict }
      // another endpoint need not be waited for
      const wait = endpoints.length > 1 && failed === undefined ? 0 : waitAfter(outcome, attempt)
      const over = attempt >= spec.attempts || ms + wait >= deadline
      if (!isRetryable(outcome) || over) return { outcome, ms, usage, verdict }
      failed = endpoint
      yield* Effect.sleep(wait)
      ms += wait
    }
  })

  /** Asks; where the manifest says so, waits for an endpoint that is down or too busy until its patience ends. */
  const ask = Effect.fnUntraced(function* (judged: Judged, swapped: boolean) {
    const started = yield* Clock.currentTimeMillis
    let usage = FREE
    for (let ms = 0; ;) {
      const asked: Asked = yield* persist(judged, swapped)
      ms += asked.ms
      usage = addUsage(usage, asked.usage)
      const away = "_tag" in asked.outcome && isWaitedFor(asked.outcome)
      const waited = (yield* Clock.currentTimeMillis) - started
      if (!away || spec.outage !== "wait" || waited + OUTAGE_WAIT_MILLIS > spec.patience * 1000)
        return { ...asked, ms, usage }
      yield* Effect.sleep(OUTAGE_WAIT_MILLIS)
      ms += OUTAGE_WAIT_MILLIS
    }
  })

  return { model: seat.model, ask }
})

export type JudgeSeat = Effect.Success<ReturnType<typeof makeSeat>>
