/** What a worker does with each kind of job. Each gives what came of it, in a few words for the board. */
import type { Job, RunJob, ShardJob } from "@gradus/domain/Job"
import { finished, run as runExperiment, type RunInput } from "@gradus/experiment/Run"
import { readPlan, shardFolder, shardInput } from "@gradus/experiment/profiler/ShardPlan"
import { servedProfile } from "@gradus/experiment/profiler/ServedProfile"
import type { RunSummary } from "@gradus/domain/RunSummary"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { Engines, type StorePlace } from "../Engines.ts"
import { inputOf } from "../JobEnvelope.ts"
import { progressNote } from "../ProfileWords.ts"
import { trainerPlace } from "../RunPlace.ts"
import { apiKey } from "./ProfileOptions.ts"

/** Where a worker works. */
export interface Workplace {
  /** This host's directory of runs. */
  readonly runs: string
  readonly store: StorePlace
  readonly origin: RunInput["origin"]
  /** Whether the reports of runs are drawn. */
  readonly report: boolean
}

/** The profile that a shard belongs to is not the one that was asked for: another was begun in its directory. */
export class ShardUnknown extends Schema.TaggedError<ShardUnknown>()("ShardUnknown", {
  directory: Schema.String,
  shard: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.directory} has no shard ${this.shard} as it was asked for: ${this.reason}`
  }
}

const accuracy = (summary: RunSummary): string =>
  Object.entries(summary.eval)
    .map(([set, { first, last }]) => `${set} ${first?.toFixed(3) ?? "-"} -> ${last?.toFixed(3) ?? "-"}`)
    .join(", ")

const performRun = Effect.fn("worker.run")(function* (
  job: typeof RunJob.Type,
  { origin, report, runs, store }: Workplace
) {
  const { run: enginesOf } = yield* Engines
  const input = { ...(yield* inputOf(job, runs, origin)), report }
  const done = yield* finished(input)
  if (done !== undefined) return accuracy(done)
  const engines = enginesOf(input.resolved.manifest, yield* trainerPlace(input.root, store))
  return accuracy(yield* runExperiment(input, engines))
})

const performShard = Effect.fn("worker.shard")(function* (job: typeof ShardJob.Type, { runs }: Workplace) {
  const path = yield* Path.Path
  const { scorer, wire } = yield* Engines
  const directory = path.resolve(runs, job.profile)
  const unknown = (reason: string) => new ShardUnknown({ directory, shard: job.shard, reason })
  const plan = yield* readPlan(directory)
  if (plan.digest !== job.digest) return yield* unknown(`it holds the profile ${plan.digest}, not ${job.digest}`)
  const shard = plan.shards.find(({ name }) => name === job.shard)
  if (shard === undefined) return yield* unknown("its plan does not have it")
  const input = yield* shardInput(plan, directory, shard, {
    key: yield* apiKey(plan.servers.api_key_env),
    retryFailed: job.retry_failed,
    note: (totals, servers) => progressNote(totals, servers, {})
  })
  const { asked, reused, rows } = yield* servedProfile(input).pipe(
    Effect.provide([scorer(input.rules.rewards), wire(input.servers.concurrency)])
  )
  return `${rows.length} questions, ${asked} samples asked, ${reused} reused`
})

/** The directory whose lease a job takes. */
export const directoryOf = Effect.fnUntraced(function* (job: Job, { runs }: Workplace) {
  const path = yield* Path.Path
  if (job._tag === "run") return path.resolve(runs, job.run)
  return path.join(yield* shardFolder(path.resolve(runs, job.profile), undefined), job.shard)
})

/** Does a job, under the lease that it is given. */
export const perform = Effect.fnUntraced(function* (job: Job, place: Workplace) {
  return job._tag === "run" ? yield* performRun(job, place) : yield* performShard(job, place)
})
