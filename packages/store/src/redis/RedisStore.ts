/** The store on Redis, for any number of hosts. It is looked at before it is used: one that would forget is refused. */
import type { StoreError } from "@gradus/domain/StoreError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import * as Persistence from "effect/persistence/Persistence"
import * as RateLimiter from "effect/persistence/RateLimiter"
import type * as Redis from "effect/persistence/Redis"
import * as WorkQueueLayer from "../PersistedWorkQueue.ts"
import * as Generation from "./Generation.ts"
import * as IoRedis from "./IoRedis.ts"
import { KEYS } from "./Keys.ts"
import * as RedisJobBoard from "./RedisJobBoard.ts"
import * as RedisLiveEvents from "./RedisLiveEvents.ts"
import * as RedisRunLease from "./RedisRunLease.ts"
import * as RedisValues from "./RedisValues.ts"
import { checkSettings } from "./StartCheck.ts"
import type { StoreServices } from "../StoreServices.ts"

/** Connects, and fails where there is no server or one that would forget. */
export const connection = (
  options: IoRedis.IoRedisOptions
): Layer.Layer<IoRedis.RedisConnection | Redis.Redis | Generation.Generation, StoreError> =>
  Generation.layer.pipe(
    Layer.provideMerge(Layer.effectDiscard(checkSettings)),
    Layer.provideMerge(IoRedis.layer(options))
  )

export type RedisStoreOptions = IoRedis.IoRedisOptions & RedisRunLease.RedisLeaseOptions & WorkQueueLayer.QueueTimes

/**
 * Says how long the marks of a worker hold that is not heard of for `lease`. Its job is locked for longer than its run is leased, whenever it dies
 * between two renewals: the next worker would find the run still owned, give the job back, and have spent a delivery and a pause on it.
 */
export const timesOf = (lease: Duration.Duration) => ({ ttl: lease, lock: Duration.times(lease, 1.5) })

const queue = (times: WorkQueueLayer.QueueTimes) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { store } = yield* IoRedis.RedisConnection
      const { check } = yield* Generation.Generation
      return WorkQueueLayer.layer({ store, check }, times)
    })
  ).pipe(
    Layer.provide(
      WorkQueueLayer.factory(
        PersistedQueue.layerStoreRedis({ prefix: KEYS.queue, ...WorkQueueLayer.queueOptions(times) })
      )
    )
  )

/** All that a store does. */
export const layer = (options: RedisStoreOptions): Layer.Layer<StoreServices, StoreError> =>
  Layer.mergeAll(
    RedisRunLease.layer(options),
    queue(options),
    RedisJobBoard.layer,
    RedisLiveEvents.layer,
    RedisValues.layer,
    Persistence.layerRedis,
    RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreRedis({ prefix: KEYS.rates })))
  ).pipe(Layer.provide(connection(options)))
