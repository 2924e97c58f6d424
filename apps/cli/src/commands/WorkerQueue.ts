/** `gradus queue add` and `gradus queue list`: what workers have to do. */
import { jobId, jobName, type JobRecord } from "@gradus/domain/Job"
import { LiveEvents } from "@gradus/domain/LiveEvents"
import { JobBoard, WorkQueue } from "@gradus/domain/WorkQueue"
import { load } from "@gradus/manifest/service/Load"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Engines } from "../Engines.ts"
import { jobOf } from "../JobEnvelope.ts"
import { print, printJson, say } from "../Output.ts"
import { runInput } from "../RunPlace.ts"
import { storePlace } from "../StoreAddress.ts"

/** A job that was waited for did not succeed. */
export class JobFailed extends Schema.TaggedError<JobFailed>()("JobFailed", {
  name: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.name} failed on a worker: ${this.reason}`
  }
}

export interface QueueOptions {
  readonly redis: string | undefined
  readonly runs: string
  readonly json: boolean
}

export interface AddOptions extends QueueOptions {
  readonly manifest: string
  readonly set: ReadonlyArray<string>
  readonly wait: boolean
}

/** What is on the board after a job was asked for: one that waits or is worked on stays as it is, one that ended begins again under the next number. */
export const asked = (name: string, before: JobRecord | undefined, now: number): JobRecord => {
  if (before?.state === "queued" || before?.state === "running") return before
  const attempt = (before?.attempt ?? 0) + 1
  return { format: 1, name, attempt, state: "queued", fence: before?.fence ?? 0, changed: now }
}

/** Says how a run gets on until its job ends. */
const follow = Effect.fnUntraced(function* (name: string) {
  const board = yield* JobBoard
  const events = yield* LiveEvents
  const said = events
    .follow(name)
    .pipe(
      Stream.runForEach(({ done, note, stage, total, unit }) =>
        say(`${stage} ${done}/${total} ${unit}${note === undefined ? "" : `, ${note}`}`)
      )
    )
  const ended = Effect.gen(function* () {
    for (;;) {
      const record = yield* board.get(name)
      if (record?.state === "done" || record?.state === "failed") return record
      yield* Effect.sleep("500 millis")
    }
  })
  // progress is for whoever watches: a store that is away for a moment ends it, not the waiting
  return yield* Effect.raceFirst(ended, Effect.andThen(Effect.ignore(said), Effect.never))
})

/** Adds a manifest's run, once: asked for again it is told where it stands. */
export const add = Effect.fn("gradus.queue.add")(function* (options: AddOptions) {
  const path = yield* Path.Path
  const input = yield* runInput(yield* load(options.manifest, options.set), options.runs)
  const job = yield* Effect.orDie(jobOf(input, path.basename(input.root)))
  const { store } = yield* Engines
  const work = Effect.gen(function* () {
    const board = yield* JobBoard
    const name = jobName(job)
    const before = yield* board.get(name)
    const record = asked(name, before, yield* Clock.currentTimeMillis)
    // one that waits or is worked on stays as it is: its worker may have written meanwhile
    if (record !== before) yield* board.put(record)
    // an id is taken once: what is queued already is not queued again, and what was cut off before this line is
    yield* (yield* WorkQueue).offer(jobId(record), job)
    if (!options.wait) return record
    const ended = yield* follow(name)
    if (ended.state === "failed") return yield* new JobFailed({ name, reason: ended.note ?? "no reason was given" })
    return ended
  })
  const record = yield* Effect.provide(work, store(yield* storePlace(options.redis, options.runs)))
  if (options.json) return yield* printJson({ ...record, dir: input.root })
  yield* print(line(record))
})

const line = ({ attempt, name, note, state, worker }: JobRecord): string =>
  [
    state.padEnd(8),
    name,
    ...(attempt === 1 ? [] : [`attempt ${attempt}`]),
    ...(worker === undefined ? [] : [worker]),
    ...(note === undefined ? [] : [note])
  ].join("  ")

/** Lists all jobs with where they stand. */
export const list = Effect.fn("gradus.queue.list")(function* (options: QueueOptions) {
  const { store } = yield* Engines
  const records = yield* Effect.provide(
    JobBoard.use((board) => board.all),
    store(yield* storePlace(options.redis, options.runs))
  )
  if (options.json) return yield* printJson({ jobs: records })
  for (const record of records) yield* print(line(record))
})
