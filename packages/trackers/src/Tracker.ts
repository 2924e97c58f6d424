/** What a tracker does, and how several are kept from ever holding a run up: rows go into a queue, calls have a deadline, a failure is said once. */
import type { MetricsRow } from "@gradus/domain/Metrics"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

/** A tracker refused, or could not be reached. */
export class TrackerFailed extends Schema.TaggedError<TrackerFailed>()("TrackerFailed", {
  tracker: Schema.String,
  url: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `${this.tracker} at ${this.url}: ${this.reason}`
  }
}

/** The run that is tracked. */
export interface TrackedRun {
  /** Its directory's name: the same in every attempt. */
  readonly run: string
  /** Settings by path, as text. */
  readonly settings: Readonly<Record<string, string>>
}

export interface Tracker {
  readonly name: string
  /** Finds or makes the run. */
  readonly begin: (run: TrackedRun) => Effect.Effect<void, TrackerFailed>
  readonly log: (rows: ReadonlyArray<MetricsRow>) => Effect.Effect<void, TrackerFailed>
  readonly end: Effect.Effect<void, TrackerFailed>
}

/** Rows that wait for a tracker at most; older ones are dropped when it is slower than the run. */
const WAITING = 10_000
/** Time that one call may take, and that all may take after the run. */
const DEADLINE = Duration.seconds(10)
const FAREWELL = Duration.seconds(5)

/** Sends rows for as long as the queue lives. A tracker that has failed is asked again with the next rows, and complained of once. */
const follow = Effect.fn("Tracker.follow")(function* (
  tracker: Tracker,
  run: TrackedRun,
  queue: Queue.Dequeue<MetricsRow, "over">
) {
  let begun = false
  let complained = false
  const complain = (reason: string) =>
    Effect.suspend(() => {
      if (complained) return Effect.void
      complained = true
      return Effect.logWarning(`${reason}; the run goes on without it, its files have everything`)
    })
  const tried = (call: Effect.Effect<void, TrackerFailed>): Effect.Effect<boolean> =>
    call.pipe(
      Effect.timeoutOrElse({
        duration: DEADLINE,
        orElse: () =>
          Effect.fail(new TrackerFailed({ tracker: tracker.name, url: "", reason: "no answer within 10 seconds" }))
      }),
      Effect.matchCauseEffect({
        onSuccess: () => Effect.succeed(true),
        onFailure: (cause) => {
          const [error] = cause.reasons
          const said = error?._tag === "Fail" ? error.error.message : `${tracker.name} broke`
          return Effect.as(complain(said), false)
        }
      })
    )
  for (;;) {
    const rows = yield* Effect.option(Queue.takeAll(queue))
    if (rows._tag === "None") break
    if (!begun) begun = yield* tried(tracker.begin(run))
    if (begun) yield* tried(tracker.log(rows.value))
  }
  if (begun) yield* tried(tracker.end)
})

/** Starts trackers and returns what takes rows. When the scope closes, what waits is sent, for at most five seconds. */
export const start = Effect.fn("Tracker.start")(function* (
  trackers: ReadonlyArray<Tracker>,
  run: TrackedRun
): Effect.fn.Return<(rows: ReadonlyArray<MetricsRow>) => Effect.Effect<void>, never, Scope.Scope> {
  const queues: Array<Queue.Queue<MetricsRow, "over">> = []
  for (const tracker of trackers) {
    const queue = yield* Queue.sliding<MetricsRow, "over">(WAITING)
    const fiber = yield* Effect.forkDetach(follow(tracker, run, queue))
    queues.push(queue)
    yield* Effect.addFinalizer(() =>
      Queue.fail(queue, "over").pipe(
        Effect.andThen(Fiber.join(fiber)),
        Effect.timeoutOption(FAREWELL),
        Effect.andThen(Fiber.interrupt(fiber)),
        Effect.ignore
      )
    )
  }
  return (rows) =>
    Effect.forEach(queues, (queue) => Queue.offerAll(queue, rows), { discard: true, concurrency: "unbounded" })
})
