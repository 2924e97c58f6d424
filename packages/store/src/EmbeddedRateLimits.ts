/** Requests and tokens a minute on one machine: the buckets of Effect's rate limiter, in a file that processes share. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  layerStoreMemory,
  RateLimiterError,
  RateLimiterStore,
  RateLimitStoreError
} from "effect/persistence/RateLimiter"
import * as Schema from "effect/Schema"
import { JudgeDatabase } from "./EmbeddedJudgeDatabase.ts"

/** Tokens that are there, and when the refill interval in hand began (ms since the epoch). */
const Bucket = Schema.fromJsonString(Schema.Struct({ tokens: Schema.Finite, since: Schema.Finite }))
/** Tokens taken in a window, and when it ends (ms since the epoch). */
const Window = Schema.fromJsonString(Schema.Struct({ count: Schema.Finite, until: Schema.Finite }))

type BucketRequest = Parameters<RateLimiterStore["Service"]["tokenBucket"]>[0]
type WindowRequest = Parameters<RateLimiterStore["Service"]["fixedWindow"]>[0]

/** Refills a bucket by whole intervals and takes from it. Time that goes back (another process's clock) refills nothing. */
const take = (stored: string | undefined, { allowOverflow, limit, refillRate, tokens }: BucketRequest, now: number) => {
  const interval = Duration.toMillis(refillRate)
  const before = stored === undefined ? { tokens: limit, since: now } : Schema.decodeSync(Bucket)(stored)
  const refills = Math.max(0, Math.floor((now - before.since) / interval))
  const filled = Math.min(limit, before.tokens + refills)
  const since = filled >= limit ? Math.max(now, before.since) : before.since + refills * interval
  const remaining = filled - tokens
  const kept = allowOverflow || remaining >= 0 ? remaining : filled
  const elapsed = Math.min(Math.max(0, now - since), interval)
  return {
    state: Schema.encodeSync(Bucket)({ tokens: kept, since }),
    result: [remaining, elapsed] as const
  }
}

/** Counts in a window that grows with what is taken. */
const count = (stored: string | undefined, { limit, refillRate, tokens }: WindowRequest, now: number) => {
  const known = stored === undefined ? undefined : Schema.decodeSync(Window)(stored)
  const before = known === undefined || known.until <= now ? { count: 0, until: now } : known
  const refused = limit !== undefined && before.count + tokens > limit
  const after = { count: before.count + tokens, until: before.until + Duration.toMillis(refillRate) * tokens }
  return {
    state: Schema.encodeSync(Window)(refused ? before : after),
    result: [after.count, (refused ? before : after).until - now] as const
  }
}

const failed = (cause: unknown) =>
  new RateLimiterError({
    reason: new RateLimitStoreError({ message: cause instanceof Error ? cause.message : String(cause), cause })
  })

/** Keeps buckets and windows in the judges' file. What is learnt from replies (`adaptive…`, which judges do not use) stays in the process. */
export const layer: Layer.Layer<RateLimiterStore, never, JudgeDatabase> = Layer.effect(
  RateLimiterStore,
  Effect.gen(function* () {
    const { change } = yield* JudgeDatabase
    const { adaptiveConsume, adaptiveFeedback } = yield* RateLimiterStore
    const attempt = <A>(work: (now: number) => A) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.try({ try: () => work(now), catch: failed }))
    return RateLimiterStore.of({
      tokenBucket: (request) =>
        attempt((now) => change(`bucket/${request.key}`, (stored) => take(stored, request, now))),
      fixedWindow: (request) =>
        attempt((now) => change(`window/${request.key}`, (stored) => count(stored, request, now))),
      adaptiveConsume,
      adaptiveFeedback
    })
  })
).pipe(Layer.provide(layerStoreMemory))
