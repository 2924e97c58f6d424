/** What a judge may use: requests and tokens a minute at each endpoint, and money. */
import { JudgeLedger } from "@gradus/domain/JudgeLedger"
import type { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { costOf, type Usage } from "../judge/Price.ts"
import { JudgeBudgetSpent, JudgeLimitUnknown } from "./JudgeFailure.ts"

const WINDOW = "1 minute"
/** Sums are of floats: what differs by less is the same money. */
const ROUNDING = 1e-9

/** Makes the limits of one spec from the rate limiter and the ledger that are provided. */
export const makeLimits = Effect.fnUntraced(function* (spec: JudgeSpec, account: string) {
  const limiter = yield* RateLimiter.RateLimiter
  const ledger = yield* JudgeLedger
  const add = (amount: number) =>
    Effect.mapError(ledger.add(account, amount), ({ reason }) => new JudgeLimitUnknown({ reason }))

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
   * Makes a call on money that is set aside for it: the estimate before, what `billed` says after. Refuses it where the sum could
   * pass the budget, so that concurrent calls cannot spend it together.
   */
  const paying = Effect.fnUntraced(function* <A, E, R>(
    model: string,
    estimate: Usage,
    call: Effect.Effect<A, E, R>,
    billed: (exit: Exit.Exit<A, E>) => Usage
  ) {
    const { budget } = spec
    if (budget === undefined) return yield* call
    const money = (usage: Usage): number => costOf(spec.prices, model, usage) ?? 0
    const reserved = money(estimate)
    const total = yield* add(reserved)
    if (total > budget + ROUNDING) {
      yield* add(-reserved)
      return yield* new JudgeBudgetSpent({ budget })
    }
    // A ledger that fails here leaves the estimate on the account: too much is counted as spent, never too little.
    return yield* Effect.onExit(call, (exit) => Effect.ignore(add(money(billed(exit)) - reserved)))
  })

  return { admit, paying }
})

export type JudgeLimits = Effect.Success<ReturnType<typeof makeLimits>>
