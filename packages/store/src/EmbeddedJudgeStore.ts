/** All that judges share on one machine, in one file: verdicts, money, rates and circuits. */
import type { JudgeLedger } from "@gradus/domain/JudgeLedger"
import type { VerdictCache } from "@gradus/domain/VerdictCache"
import * as Layer from "effect/Layer"
import type { CircuitBreakerStore } from "effect/persistence/CircuitBreaker"
import type { RateLimiterStore } from "effect/persistence/RateLimiter"
import * as EmbeddedCircuits from "./EmbeddedCircuits.ts"
import { JudgeDatabase, type JudgeStoreFailed } from "./EmbeddedJudgeDatabase.ts"
import * as EmbeddedJudgeLedger from "./EmbeddedJudgeLedger.ts"
import * as EmbeddedRateLimits from "./EmbeddedRateLimits.ts"
import * as EmbeddedVerdictCache from "./EmbeddedVerdictCache.ts"

/** Opens the file and implements the four ports with it. */
export const layer = (
  file: string
): Layer.Layer<VerdictCache | JudgeLedger | RateLimiterStore | CircuitBreakerStore, JudgeStoreFailed> =>
  Layer.mergeAll(
    EmbeddedVerdictCache.layer,
    EmbeddedJudgeLedger.layer,
    EmbeddedRateLimits.layer,
    EmbeddedCircuits.layer
  ).pipe(Layer.provide(JudgeDatabase.layer(file)))
