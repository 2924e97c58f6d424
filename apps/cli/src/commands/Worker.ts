/** `gradus worker`: takes runs and shards of profiles from the queue and does them, until it is told to stop. What it does not finish another worker goes on with. */
import { type Job, jobName, type JobRecord } from "@gradus/domain/Job"
import { LiveEvents } from "@gradus/domain/LiveEvents"
import { RunLease, RunOwned } from "@gradus/domain/RunLease"
import { DELIVERIES_AT_MOST, type Delivery, JobBoard, WorkQueue } from "@gradus/domain/WorkQueue"
import { asOwner } from "@gradus/experiment/Owner"
import { Progress, type ProgressEvent } from "@gradus/experiment/Progress"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Ref from "effect/Ref"
import { hostname } from "node:os"
import { Engines } from "../Engines.ts"
import { isTryAgain } from "../ExitCode.ts"
import { origin } from "../Origin.ts"
import { say } from "../Output.ts"
import { projectRoot } from "../ProjectRoot.ts"
import { storePlace } from "../StoreAddress.ts"
import { UsageError } from "../UsageError.ts"
import { idleFor, type Occupation } from "./WorkerIdle.ts"
import { directoryOf, perform, type Workplace } from "./WorkerJobs.ts"

export interface WorkerOptions {
  readonly redis: string | undefined
  readonly runs: string
  /** Seconds after which a worker that is not heard of loses its work. */
  readonly lease: number
  /** Leave after so many seconds without a job; undefined: stay. */
  readonly idle: number | undefined
  /** Whether the reports of runs are drawn. */
  readonly report: boolean
}

const me = `${hostname()}, process ${process.pid}`

/** Writes where a job stands, under the fencing number of the run's lease; before there is one, under the number that is there. */
const reporter = Effect.fnUntraced(function* (job: Job, { id }: Delivery) {
  const board = yield* JobBoard
  const name = jobName(job)
  const attempt = Number(id.slice(id.lastIndexOf("#") + 1))
  const fence = yield* Ref.make((yield* board.get(name))?.fence ?? 0)
  const put = Effect.fnUntraced(function* (state: JobRecord["state"], note?: string) {
    const changed = yield* Clock.currentTimeMillis
    const record = { format: 1, name, attempt, state, fence: yield* Ref.get(fence), worker: me, changed } as const
    yield* board.put(note === undefined ? record : { ...record, note })
  })
  return { put, fence, leased: yield* Ref.make(false) }
})

/**
 * Writes how a job ended. The record of a worker that was killed is another one's: who comes after it and ends before it took the run (it is finished; its
 * dataset is gone) takes it to say so, and is refused where that worker lives.
 */
const settle = (report: Reporter, directory: string, state: "done" | "failed", note: string) =>
  report
    .put(state, note)
    .pipe(
      Effect.catchTag("JobRecordStale", (stale) =>
        Effect.flatMap(Ref.get(report.leased), (leased) =>
          leased ? Effect.fail(stale) : Effect.provide(asOwner(directory, report.put(state, note)), announcing(report))
        )
      )
    )

type Reporter = Effect.Success<ReturnType<typeof reporter>>

/** The store's lease, which says on the board who has the run as soon as it is taken. */
const announcing = ({ fence, leased, put }: Reporter) =>
  Layer.effect(
    RunLease,
    Effect.map(RunLease, (lease) => ({
      acquire: Effect.fnUntraced(function* (directory, earlier) {
        const hold = yield* lease.acquire(directory, earlier)
        yield* Ref.set(fence, hold.record.number)
        yield* Ref.set(leased, true)
        yield* put("running").pipe(
          Effect.catchTag("JobRecordStale", () =>
            Effect.fail(new RunOwned({ directory, owner: "one that came later" }))
          )
        )
        return hold
      })
    }))
  )

const BETWEEN_EVENTS_MILLIS = 500

/** Progress for listeners on any host; a store that does not take it does not hold up a run. */
const published = (name: string) =>
  Layer.effect(
    Progress,
    Effect.gen(function* () {
      const events = yield* LiveEvents
      const last = yield* Ref.make({ stage: "", at: 0 })
      return Effect.fnUntraced(function* (event: ProgressEvent) {
        const now = yield* Clock.currentTimeMillis
        const { at, stage } = yield* Ref.get(last)
        if (stage === event.stage && event.done < event.total && now - at < BETWEEN_EVENTS_MILLIS) return
        yield* Ref.set(last, { stage: event.stage, at: now })
        yield* Effect.ignore(events.publish(name, event))
      })
    })
  )

/** Whether no other delivery may end better. */
const isOver = (error: { readonly _tag: string }, { delivery }: Delivery): boolean =>
  !isStoreGone(error) && (!isTryAgain(error) || delivery >= DELIVERIES_AT_MOST)

/** Does one job. What may go better elsewhere or later fails and comes back; what never will is written down and is over. */
const work = Effect.fnUntraced(function* (job: Job, delivery: Delivery, place: Workplace) {
  const name = jobName(job)
  const report = yield* reporter(job, delivery)
  const directory = yield* directoryOf(job, place)
  yield* say(`${name}: taken${delivery.delivery === 1 ? "" : `, delivery ${delivery.delivery}`}`)
  yield* perform(job, place).pipe(
    Effect.provide([announcing(report), published(name)]),
    Effect.tap((outcome) => settle(report, directory, "done", outcome)),
    Effect.tap(() => say(`${name}: done`)),
    Effect.tapError((error) => say(`${name}: ${error.message}`)),
    Effect.onInterrupt(() => Effect.ignore(report.put("queued"))),
    Effect.catchIf(
      (error) => isOver(error, delivery),
      (error) => settle(report, directory, "failed", error.message)
    )
  )
})

/** Takes jobs one after the other. A failed job is the queue's matter, a failed store is the worker's. */
const loop = Effect.fnUntraced(function* (options: WorkerOptions, store: Workplace["store"]) {
  const queue = yield* WorkQueue
  const runs = (yield* Path.Path).resolve(options.runs)
  const place: Workplace = { runs, store, origin: yield* origin(projectRoot), report: options.report }
  const occupation = yield* Ref.make<Occupation>({ busy: false, jobs: 0 })
  const one = queue
    .take((job, delivery) =>
      Effect.andThen(
        Ref.update(occupation, ({ jobs }) => ({ busy: true, jobs: jobs + 1 })),
        Effect.result(work(job, delivery, place))
      ).pipe(
        Effect.ensuring(Ref.update(occupation, ({ jobs }) => ({ busy: false, jobs }))),
        Effect.flatMap((result) =>
          result._tag === "Failure" ? Effect.fail(new JobEnded(result.failure)) : Effect.void
        )
      )
    )
    .pipe(
      Effect.catchIf(
        (error) => error instanceof JobEnded && !isStoreGone(error.failure),
        () => Effect.void
      )
    )
  yield* Effect.raceFirst(Effect.forever(one), idleFor(occupation, options.idle))
})

/** How a job ended that is to come back. */
class JobEnded {
  readonly _tag = "JobEnded"
  readonly failure: { readonly _tag: string; readonly message: string }
  constructor(failure: JobEnded["failure"]) {
    this.failure = failure
  }
}

const isStoreGone = (error: { readonly _tag: string }): boolean => error._tag === "StoreWentBack"

/** Works until it is told to stop: then it gives its job back, and that is no failure. */
export const worker = Effect.fn("gradus.worker")(function* (options: WorkerOptions) {
  const { store } = yield* Engines
  const place = yield* storePlace(options.redis, options.runs)
  if (!(options.lease >= 1)) return yield* new UsageError({ reason: `--lease ${options.lease}: at least 1 second` })
  process.exitCode = 0
  yield* say(`worker ${me}: waiting for work`)
  yield* loop(options, place).pipe(
    Effect.provide(store(place, options.lease)),
    Effect.onInterrupt(() => say("stopped; what was not finished goes to another worker"))
  )
})
