/** What a judge may use: requests and tokens a minute at each endpoint, and money. */
import type { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import * as Effect from "effect/Effect"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { costOf, type Usage } from "../judge/Price.ts"
import { JudgeBudgetSpent, JudgeLimitUnknown } from "./JudgeFailure.ts"
import { JudgeLedger } from "./JudgeLedger.ts"

const WINDOW = "1 minute"
/** Sums are of floats: what differs by less is the same money. */
const ROUNDING = 1e-9

/** Makes the limits of one spec from the rate limiter and the ledger that are provided. */
export const makeLimits = Effect.fnUntraced(function* (spec: JudgeSpec) {
  const limiter = yield* RateLimiter.RateLimiter
  const ledger = yield* JudgeLedger
  const account = `judge/${spec.endpoint}/${spec.model}`

  const consume = (key: string, limit: number | undefined, tokens: number) =>
    limit === undefined
      ? Effect.void
      : RateLimiter.sleep(limiter, { key, limit, tokens, window: WINDOW, algorithm: "token-bucket" }).pipe(
          Effect.mapError((error) => new JudgeLimitUnknown({ reason: error.reason._tag })),
          Effect.asVoid
        )

  /** Waits until a call of an estimated size may be made at an endpoint. */
  const admit = Effect.fnUntraced(function* (url: string, usage: Usage) {
    yield* consume(`judge/requests/${url}`, spec.requests_per_minute, 1)
    yield* consume(`judge/tokens/${url}`, spec.tokens_per_minute, usage.prompt_tokens + usage.completion_tokens)
  })

  /**
   * Makes a call on money that is set aside for it: the estimate before, what it did cost after, nothing where it failed. Refuses it
   * where the sum could pass the budget, so that concurrent calls cannot spend it together.
   */
  const paying = Effect.fnUntraced(function* <A, E, R>(
    model: string,
    estimate: Usage,
    call: Effect.Effect<A, E, R>,
    used: (answer: A) => Usage
  ) {
    const { budget } = spec
    if (budget === undefined) return yield* call
    const reserved = costOf(spec.prices, model, estimate) ?? 0
    const total = yield* ledger.add(account, reserved)
    if (total > budget + ROUNDING) {
      yield* ledger.add(account, -reserved)
      return yield* new JudgeBudgetSpent({ budget })
    }
    const answer = yield* Effect.onError(call, () => ledger.add(account, -reserved))
    yield* ledger.add(account, (costOf(spec.prices, model, used(answer)) ?? 0) - reserved)
    return answer
  })

  return { admit, paying }
})

export type JudgeLimits = Effect.Success<ReturnType<typeof makeLimits>>
