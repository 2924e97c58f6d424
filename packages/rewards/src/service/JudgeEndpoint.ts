/** One endpoint of a judge: its places, its limits, and whether it can be held to a JSON schema. */
import type { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpClient from "effect/http/HttpClient"
import * as Semaphore from "effect/Semaphore"
import type { ChatReply } from "../judge/ChatReply.ts"
import { estimateUsage, type Usage } from "../judge/Price.ts"
import { type ChatMessage, type Judged, judgeMessages } from "../judge/Prompt.ts"
import { holdsSchema, PROBE_MESSAGES } from "../judge/Structured.ts"
import type { JudgeFailure } from "./JudgeFailure.ts"
import type { JudgeLimits } from "./JudgeLimits.ts"
import { type Address, failureOf, makeWire } from "./JudgeWire.ts"

/** A reply, and the rule by which it was asked to be written. */
export interface Answered {
  readonly reply: ChatReply
  readonly verdict: JudgeSpec["verdict"]
}

const usageOf = (reply: ChatReply): Usage => ({
  prompt_tokens: reply.usage?.prompt_tokens ?? 0,
  completion_tokens: reply.usage?.completion_tokens ?? 0
})

type Pay = (
  messages: ReadonlyArray<ChatMessage>,
  held: boolean,
  millis: number,
  spent: (millis: number) => void
) => Effect.Effect<ChatReply, JudgeFailure>

/** Asks once whether an endpoint honours a JSON schema. While it cannot be asked, it does not, and is asked again. */
const makeProbe = Effect.fnUntraced(function* (spec: JudgeSpec, pay: Pay) {
  const probing = yield* Semaphore.make(1)
  let known: boolean | undefined = spec.structured === "never" ? false : undefined
  const probe = Effect.gen(function* () {
    if (known !== undefined) return known
    const exit = yield* Effect.exit(pay(PROBE_MESSAGES, true, spec.deadline * 1000, () => {}))
    const failure = failureOf(exit)
    if (Exit.isSuccess(exit)) known = holdsSchema(exit.value.choices[0].message.content ?? "")
    else if (failure?._tag === "JudgeRefused" && failure.status < 500 && failure.status !== 429) known = false
    return known ?? false
  })
  const isStructured = Effect.suspend(() =>
    known === undefined ? Semaphore.withPermit(probing, probe) : Effect.succeed(known)
  )
  return { isStructured }
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
  const pay: Pay = Effect.fnUntraced(function* (messages, held, millis, spent) {
    const estimate = estimateUsage(messages, spec.max_tokens)
    yield* limits.admit(wire.shown, estimate)
    const call = limits.paying(address.model, estimate, wire.send(messages, held, millis), usageOf)
    const [took, exit] = yield* Effect.timed(Effect.exit(call))
    spent(Duration.toMillis(took))
    return yield* exit
  })
  const { isStructured } = yield* makeProbe(spec, pay)

  const answer = Effect.fnUntraced(function* (
    judged: Judged,
    swapped: boolean,
    millis: number,
    spent: (millis: number) => void
  ) {
    const held = yield* isStructured
    const verdict = held ? "json_last" : spec.verdict
    const messages = judgeMessages(judged, { truth: spec.truth, verdict, swapped })
    const reply = yield* pay(messages, held, millis, spent)
    return { reply, verdict } satisfies Answered
  })

  return {
    /** Makes one call, when there is a place. `millis` is the time that is left for it; waiting for a place or a rate is not counted. */
    ask: (...asked: Parameters<typeof answer>): Effect.Effect<Answered, JudgeFailure> =>
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
