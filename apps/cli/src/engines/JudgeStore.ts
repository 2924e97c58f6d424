/** What judges share: verdicts, money, rates and circuits, in a file of this machine or in Redis. */
import type { JudgeLedger } from "@gradus/domain/JudgeLedger"
import type { VerdictCache } from "@gradus/domain/VerdictCache"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { CircuitBreakerStore } from "effect/persistence/CircuitBreaker"
import type { RateLimiterStore } from "effect/persistence/RateLimiter"
import * as Redacted from "effect/Redacted"
import type { JudgeStoreError, StorePlace } from "../Engines.ts"

/** Opens what a place holds. Which client that takes is loaded then. */
export const judgeStore = (
  place: StorePlace
): Layer.Layer<VerdictCache | JudgeLedger | RateLimiterStore | CircuitBreakerStore, JudgeStoreError> =>
  place.kind === "redis"
    ? Layer.unwrap(
        Effect.map(
          Effect.promise(() => import("@gradus/store/redis/RedisJudgeStore")),
          ({ layer }) => layer({ url: Redacted.value(place.url) })
        )
      )
    : Layer.unwrap(
        Effect.map(
          Effect.promise(() => import("@gradus/store/EmbeddedJudgeStore")),
          ({ layer }) => layer(place.file)
        )
      )
