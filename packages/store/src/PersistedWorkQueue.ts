/**
 * The work queue on Effect's persisted queue, for every store. Beside the work something watches the store: the queue itself would wait for one that is away,
 * or was flushed, for ever.
 */
import { Job } from "@gradus/domain/Job"
import { StoreDeadline, type StoreError } from "@gradus/domain/StoreError"
import { DELIVERIES_AT_MOST, WorkQueue } from "@gradus/domain/WorkQueue"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import { within } from "./Deadline.ts"
import { storeError } from "./FailureCause.ts"

/** How queues keep time, in every store. */
export interface QueueTimes {
  /** How long a job stays with a worker that is not heard of. Default 15 s. */
  readonly lock?: Duration.Input | undefined
  /** How often an idle worker looks. Default 200 ms. */
  readonly poll?: Duration.Input | undefined
  /** How long a worker waits for a store that does not answer. Default 60 s. */
  readonly patience?: Duration.Input | undefined
}

export interface WatchedStore {
  readonly store: string
  /** Fails when the store is not there, or not the one that it was. */
  readonly check: Effect.Effect<void, StoreError>
}

/** A lock is kept up after this part of it. */
const LOCK_KEPT = 1 / 4

/** Settings of Effect's queue stores. */
export const queueOptions = (times: QueueTimes) => {
  const lock = Duration.fromInputUnsafe(times.lock ?? "15 seconds")
  return {
    pollInterval: times.poll ?? "200 millis",
    lockExpiration: lock,
    lockRefreshInterval: Duration.times(lock, LOCK_KEPT)
  }
}

const pauses = Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("1 minute")])

/** Long enough to give jobs back to a store that answers; a process does not stay for one that is away. */
const LEAVING = Duration.seconds(4)

/** Looks after the store until it went back in time, or stayed away for longer than we wait. */
const watch = ({ check, store }: WatchedStore, patience: Duration.Duration) =>
  Effect.gen(function* () {
    let seen = yield* Clock.currentTimeMillis
    let away = false
    for (;;) {
      const failure = yield* check.pipe(
        Effect.as(undefined),
        Effect.catch((error) => Effect.succeed(error))
      )
      const now = yield* Clock.currentTimeMillis
      if (failure !== undefined && !away) yield* Effect.logWarning(`waiting for the queue: ${failure.message}`)
      away = failure !== undefined
      if (failure === undefined) seen = now
      else if (failure._tag === "StoreWentBack") return yield* failure
      else if (now - seen > Duration.toMillis(patience))
        return yield* new StoreDeadline({ store, operation: "the queue", millis: now - seen })
      yield* Effect.sleep("1 second")
    }
  })

/** The store's own complaints, a stack trace each half second while it is away, are said once by what watches it. */
const silently = Layer.succeed(References.MinimumLogLevel, "Error")

/** Effect's queue over a queue store, for the layer below. */
export const factory = <E, R>(store: Layer.Layer<PersistedQueue.PersistedQueueStore, E, R>) =>
  PersistedQueue.layer.pipe(Layer.provide(store), Layer.provide(silently))

/** Makes the queue over the queue store that is provided. */
export const layer = (
  watched: WatchedStore,
  times: QueueTimes = {}
): Layer.Layer<WorkQueue, never, PersistedQueue.PersistedQueueFactory> =>
  Layer.effect(
    WorkQueue,
    Effect.gen(function* () {
      const patience = Duration.fromInputUnsafe(times.patience ?? "60 seconds")
      const queue = yield* PersistedQueue.make({
        name: "work",
        schema: Job,
        maxAttempts: DELIVERIES_AT_MOST,
        retrySchedule: pauses
      })
      const failed = (operation: string) => Effect.mapError(storeError(watched.store, operation))
      return WorkQueue.of({
        offer: (id, job) =>
          Effect.andThen(watched.check, queue.offer(job, { id }).pipe(failed("adding a job"))).pipe(Effect.asVoid),
        take: <A, E, R>(work: (job: Job, at: { id: string; delivery: number }) => Effect.Effect<A, E, R>) =>
          Effect.gen(function* () {
            const taking = yield* Effect.forkDetach(
              queue.take((job, { attempts, id }) =>
                Effect.result(work(job, { id, delivery: attempts })).pipe(
                  // what the work itself fails with goes to the caller as it is
                  Effect.flatMap((result) =>
                    result._tag === "Failure" ? Effect.fail({ work: result.failure }) : Effect.succeed(result.success)
                  )
                )
              )
            )
            const leave = within(Fiber.interrupt(taking), LEAVING, () => Effect.void)
            return yield* Effect.raceFirst(Fiber.join(taking), watch(watched, patience)).pipe(Effect.ensuring(leave))
          }).pipe(
            Effect.mapError((error): E | StoreError =>
              typeof error === "object" && error !== null && "work" in error
                ? (error.work as E)
                : storeError(watched.store, "taking a job")(error)
            )
          )
      })
    })
  )
