/** One endpoint of a judge: its places, its limits, and whether it can be held to a JSON schema. */
import type { JudgeSpec, VerdictRule } from "@gradus/domain/manifest/Rewards"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpClient from "effect/http/HttpClient"
import * as Semaphore from "effect/Semaphore"
import type { ChatReply } from "../judge/ChatReply.ts"
import { estimateUsage, FREE, type Usage, usageOf } from "../judge/Price.ts"
import { type ChatMessage, type Judged, judgeMessages } from "../judge/Prompt.ts"
import { HELD_RULE, holdsSchema, mayHold, PROBE_MESSAGES } from "../judge/Structured.ts"
import { isBilled, type JudgeFailure } from "./JudgeFailure.ts"
import type { JudgeLimits } from "./JudgeLimits.ts"
import { type Address, failureOf, makeWire } from "./JudgeWire.ts"

/** What a call took, whether it answered or failed. */
interface Spent {
  readonly ms: number
  readonly usage: Usage
}

/** Is told of every call that was sent, with the rule by which its reply was to be written. */
export type Sent = (spent: Spent, verdict: VerdictRule) => void

/** What a call is charged with. One that was cut off from our side was sent as well: too much is counted, never too little. */
const billedFor =
  (estimate: Usage) =>
  (exit: Exit.Exit<ChatReply, JudgeFailure>): Usage => {
    if (Exit.isSuccess(exit)) return usageOf(exit.value, estimate)
    const failure = failureOf(exit)
    return failure === undefined || isBilled(failure) ? estimate : FREE
  }

type Pay = (
  messages: ReadonlyArray<ChatMessage>,
  held: boolean,
  millis: number,
  spend: (spent: Spent) => void
) => Effect.Effect<ChatReply, JudgeFailure>

/** How often an endpoint is asked anew, after it was down, whether it honours a JSON schema. */
const PROBES = 3

/**
 * Asks whether an endpoint honours a JSON schema. One that refuses the schema, or takes no notice of it, does not; while it does not
 * answer it does not either, and is asked again only after it has answered a judgement: so that no judgement waits for a second
 * question to an endpoint that is down, and one that breaks on the schema alone is given up.
 */
const makeProbe = Effect.fnUntraced(function* (spec: JudgeSpec, pay: Pay) {
  const probing = yield* Semaphore.make(1)
  let known: boolean | undefined = mayHold(spec) ? undefined : false
  let left = PROBES
  let isAlive = true
  /** `left` when it was asked for: whoever waited while another question failed takes that for its own. */
  const probe = Effect.fnUntraced(function* (before: number) {
    if (known !== undefined || left !== before) return known ?? false
    const exit = yield* Effect.exit(pay(PROBE_MESSAGES, true, spec.deadline * 1000, () => {}))
    const failure = failureOf(exit)
    const isRefused = failure?._tag === "JudgeRefused" && failure.status < 500 && failure.status !== 429
    if (Exit.isSuccess(exit)) known = holdsSchema(exit.value.choices[0].message.content ?? "")
    else if (isRefused || failure?._tag === "JudgeReplyMalformed" || --left === 0) known = false
    else isAlive = false
    return known ?? false
  })
  return {
    isStructured: Effect.suspend(() =>
      known === undefined && isAlive ? Semaphore.withPermit(probing, probe(left)) : Effect.succeed(known ?? false)
    ),
    /** Is told that the endpoint has answered. */
    answered: Effect.sync(() => {
      isAlive = true
    })
  }
})

/** Makes an endpoint. */
export const makeEndpoint = Effect.fnUntraced(function* (
  spec: JudgeSpec,
  address: Address,
  http: HttpClient.HttpClient,
  limits: JudgeLimits
) {
  const wire = yield* makeWire(spec, address, http)
  const places = yield* Semaphore.make(spec.concurrency)
  let load = 0

  /** Sends when rates and money allow it; the time of the call alone is spent. */
  const pay: Pay = Effect.fnUntraced(function* (messages, held, millis, spend) {
    const estimate = estimateUsage(messages, spec.max_tokens)
    yield* limits.admit(wire.shown, estimate)
    const billed = billedFor(estimate)
    const call = limits.paying(address.model, estimate, wire.send(messages, held, millis), billed)
    const [took, exit] = yield* Effect.timed(Effect.exit(call))
    spend({ ms: Duration.toMillis(took), usage: billed(exit) })
    return yield* exit
  })
  const { answered, isStructured } = yield* makeProbe(spec, pay)

  const answer = Effect.fnUntraced(function* (judged: Judged, swapped: boolean, millis: number, sent: Sent) {
    const held = yield* isStructured
    const verdict = held ? HELD_RULE : spec.verdict
    const messages = judgeMessages(judged, { truth: spec.truth, verdict, swapped })
    return yield* Effect.tap(
      pay(messages, held, millis, (spent) => sent(spent, verdict)),
      () => answered
    )
  })

  return {
    /** Makes one call, when there is a place. `millis` is the time that is left for it; waiting for a place or a rate is not counted. */
    ask: (...asked: Parameters<typeof answer>): Effect.Effect<ChatReply, JudgeFailure> =>
      Effect.suspend(() => {
        load++
        return Effect.ensuring(
          Semaphore.withPermit(places, answer(...asked)),
          Effect.sync(() => load--)
        )
      }),
    /** Calls that are made or wait for a place. */
    load: () => load,
    works: wire.works
  }
})

export type JudgeEndpoint = Effect.Success<ReturnType<typeof makeEndpoint>>
