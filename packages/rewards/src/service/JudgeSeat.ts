/** One judge: a model behind one or more endpoints, asked until it answers or its time is over. */
import type { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Semaphore from "effect/Semaphore"
import type { Judged } from "../judge/Prompt.ts"
import { type Answered, type JudgeEndpoint, makeEndpoint } from "./JudgeEndpoint.ts"
import { askedWait, isOutage, isRetryable, type JudgeFailure } from "./JudgeFailure.ts"
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

/** What was said in the end, and the milliseconds of all attempts and the waits between them. */
export interface Asked {
  readonly outcome: Answered | JudgeFailure
  readonly ms: number
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
    spend: (millis: number) => void,
    failed: JudgeEndpoint | undefined
  ) {
    const endpoint: JudgeEndpoint = yield* pick(endpoints, failed)
    const asked = endpoint.ask(judged, swapped, millis, spend)
    const outcome: Answered | JudgeFailure = yield* Effect.match(asked, {
      onSuccess: (answered) => answered,
      onFailure: (failure) => failure
    })
    return [endpoint, outcome] as const
  })

  /** Tries until an attempt succeeds, cannot succeed, was the last, or the wait for the next would pass the deadline. */
  const persist = Effect.fnUntraced(function* (judged: Judged, swapped: boolean) {
    let ms = 0
    let failed: JudgeEndpoint | undefined
    const spend = (millis: number) => {
      ms += millis
    }
    for (let attempt = 1; ; attempt++) {
      const placed = Semaphore.withPermit(places, askSomewhere(judged, swapped, deadline - ms, spend, failed))
      const [endpoint, outcome]: readonly [JudgeEndpoint, Answered | JudgeFailure] = yield* placed
      if (!("_tag" in outcome)) return { outcome, ms }
      // another endpoint need not be waited for
      const wait = endpoints.length > 1 && failed === undefined ? 0 : waitAfter(outcome, attempt)
      const over = attempt >= spec.attempts || ms + wait >= deadline
      if (!isRetryable(outcome) || over) return { outcome, ms }
      failed = endpoint
      yield* Effect.sleep(wait)
      ms += wait
    }
  })

  /** Asks; where the manifest says so, waits for an endpoint that is down until its patience ends. */
  const ask = Effect.fnUntraced(function* (judged: Judged, swapped: boolean) {
    const started = yield* Clock.currentTimeMillis
    for (let ms = 0; ;) {
      const asked: Asked = yield* persist(judged, swapped)
      ms += asked.ms
      const down = "_tag" in asked.outcome && isOutage(asked.outcome)
      const waited = (yield* Clock.currentTimeMillis) - started
      if (!down || spec.outage !== "wait" || waited + OUTAGE_WAIT_MILLIS > spec.patience * 1000) return { ...asked, ms }
      yield* Effect.sleep(OUTAGE_WAIT_MILLIS)
      ms += OUTAGE_WAIT_MILLIS
    }
  })

  return { model: seat.model, ask }
})

export type JudgeSeat = Effect.Success<ReturnType<typeof makeSeat>>
