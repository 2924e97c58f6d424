/** `gradus profile --shards N`: the questions are measured by the workers of a store, and gathered here. */
import { jobId, jobName, type JobRecord, type ShardJob } from "@gradus/domain/Job"
import { JobBoard, WorkQueue } from "@gradus/domain/WorkQueue"
import { exists } from "@gradus/experiment/AtomicFile"
import * as Progress from "@gradus/experiment/Progress"
import { isShared, servedProfile, type ServedProfileInput } from "@gradus/experiment/profiler/ServedProfile"
import { shardAnswers, shardFolder, type ShardPlan, writeShards } from "@gradus/experiment/profiler/ShardPlan"
import { shownUrl } from "@gradus/inference/SampleApi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import { Engines } from "../Engines.ts"
import { say } from "../Output.ts"
import { storePlace } from "../StoreAddress.ts"
import * as TerminalProgress from "../TerminalProgress.ts"
import { UsageError } from "../UsageError.ts"
import { asked, JobFailed } from "./WorkerQueue.ts"

export interface ShardOptions {
  readonly shards: number
  readonly redis: string | undefined
  readonly runs: string
  readonly apiKeyEnv: string | undefined
  readonly retryFailed: boolean
}

const LOOK_MILLIS = 500

/** The longest name of a profile's directory to which a shard's can be added. */
const PROFILE_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/

/** Workers find a profile by its name beside the runs, and read there which servers to ask. */
const checkPlace = Effect.fnUntraced(function* ({ directory, servers }: ServedProfileInput, { runs }: ShardOptions) {
  const path = yield* Path.Path
  const wrong = (reason: string) => new UsageError({ reason })
  if (path.dirname(directory) !== path.resolve(runs))
    return yield* wrong(
      `--output ${directory}: with --shards it must be a directory in --runs (${path.resolve(runs)}), where workers find it`
    )
  if (!PROFILE_NAME.test(path.basename(directory)))
    return yield* wrong(
      `--output ${directory}: with --shards its name has letters, digits, - and _, at most 100 of them`
    )
  const open = servers.endpoints.find((endpoint) => shownUrl(endpoint) !== endpoint)
  if (open !== undefined)
    return yield* wrong(
      `--endpoint ${shownUrl(open)}: with --shards it is written down for the workers, so it must hold no user and password; name the variable of a key with --api-key-env`
    )
})

/** Puts a shard before the workers, unless it is measured or they have it; says where it stands. */
const offer = Effect.fnUntraced(function* (job: typeof ShardJob.Type, answers: string) {
  const board = yield* JobBoard
  const name = jobName(job)
  const before = yield* board.get(name)
  // what the board says is done may have been deleted since
  if (before?.state === "done" && !job.retry_failed && (yield* exists(answers))) return before
  const record = asked(name, before, yield* Clock.currentTimeMillis)
  // one that waits or is worked on stays as it is: its worker may have written meanwhile
  if (record !== before) yield* board.put(record)
  // an id is taken once: what is queued already is not queued again
  yield* (yield* WorkQueue).offer(jobId(record), job)
  return record
})

const isOver = ({ state }: JobRecord): boolean => state === "done" || state === "failed"

/** Waits until every shard is measured. One that failed on a worker ends the waiting when the others are over, too. */
const waitFor = Effect.fnUntraced(function* (offered: ReadonlyArray<JobRecord>) {
  const board = yield* JobBoard
  let shown = -1
  for (;;) {
    const records = yield* Effect.forEach(offered, (one) => Effect.map(board.get(one.name), (now) => now ?? one))
    const done = records.filter(({ state }) => state === "done").length
    if (done !== shown) yield* Progress.report({ stage: "profile", done, total: records.length, unit: "shards" })
    shown = done
    const failed = records.find(({ state }) => state === "failed")
    if (records.every(isOver))
      return failed === undefined
        ? undefined
        : yield* new JobFailed({ name: failed.name, reason: failed.note ?? "no reason was given" })
    yield* Effect.sleep(LOOK_MILLIS)
  }
})

const measureShards = Effect.fn("ProfileShards.measure")(function* (
  input: ServedProfileInput,
  plan: ShardPlan,
  options: ShardOptions
) {
  const path = yield* Path.Path
  const profile = path.basename(input.directory)
  const { digest } = plan
  const offered = yield* Effect.forEach(plan.shards, (shard) =>
    Effect.flatMap(shardAnswers(input.directory, shard), (answers) =>
      offer(
        { _tag: "shard", format: 1, profile, shard: shard.name, digest, retry_failed: options.retryFailed },
        answers
      )
    )
  )
  yield* waitFor(offered)
})

/** Measures by workers what is not measured yet, and takes everything over. The same command goes on, whatever ended it. */
export const shardedProfile = Effect.fn("gradus.profile.shards")(function* (
  input: ServedProfileInput,
  options: ShardOptions
) {
  const { lease, scorer, store, wire } = yield* Engines
  yield* checkPlace(input, options)
  const gathered = (shards: ReadonlyArray<string>) =>
    // what workers could not have they have said: nothing is asked from here
    servedProfile({ ...input, shards, retryFailed: false }).pipe(
      Effect.provide([scorer(input.rules.rewards), wire(input.servers.concurrency)])
    )
  if (yield* isShared(input)) return yield* Effect.provide(gathered([]), [lease, TerminalProgress.layer])
  const place = yield* storePlace(options.redis, options.runs)
  return yield* Effect.gen(function* () {
    const plan = yield* writeShards(input, options.shards, options.apiKeyEnv)
    yield* say(`${plan.shards.length} shards for the workers`)
    if (plan.shards.length !== Math.min(options.shards, input.questions.length))
      yield* say(`(it was begun with that many, and stays so)`)
    yield* measureShards(input, plan, options)
    return yield* gathered(yield* Effect.forEach(plan.shards, (shard) => shardFolder(input.directory, shard)))
  }).pipe(Effect.provide([store(place), TerminalProgress.layer]))
})
