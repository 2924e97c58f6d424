/** All that judges share, for any number of hosts: verdicts, money, rates and circuits. */
import type { JudgeLedger } from "@gradus/domain/JudgeLedger"
import type { StoreError } from "@gradus/domain/StoreError"
import type { VerdictCache } from "@gradus/domain/VerdictCache"
import * as Layer from "effect/Layer"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as RateLimiter from "effect/persistence/RateLimiter"
import type { IoRedisOptions } from "./IoRedis.ts"
import { KEYS } from "./Keys.ts"
import * as RedisJudgeLedger from "./RedisJudgeLedger.ts"
import { connection } from "./RedisStore.ts"
import * as RedisVerdictCache from "./RedisVerdictCache.ts"

/** How long a trial of an endpoint is held without a word from its process. */
const PROBE_LEASE = "10 seconds"

/** Connects and implements the four ports. */
export const layer = (
  options: IoRedisOptions
): Layer.Layer<
  VerdictCache | JudgeLedger | RateLimiter.RateLimiterStore | CircuitBreaker.CircuitBreakerStore,
  StoreError
> =>
  Layer.mergeAll(
    RedisVerdictCache.layer,
    RedisJudgeLedger.layer,
    RateLimiter.layerStoreRedis({ prefix: KEYS.rates }),
    CircuitBreaker.layerStoreRedis({ prefix: KEYS.breakers, probeLease: PROBE_LEASE })
  ).pipe(Layer.provide(connection(options)))
