/** A unit of work that a worker takes from a queue: a run from manifest to report, or a shard of a profile. */
import * as Schema from "effect/Schema"

/** A run directory's name: a file name without dots and separators, since workers join it to their own path. */
export const RunName = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/))

/** What a run needs besides a worker: the manifest as written and as resolved, and where relative paths in it start. */
const work = {
  format: Schema.Literal(1),
  run: RunName,
  written: Schema.String,
  base: Schema.String,
  resolved: Schema.Struct({ digest: Schema.String, manifest: Schema.Json, provenance: Schema.Array(Schema.Json) })
}

export const RunJob = Schema.TaggedStruct("run", work)

/** Some of a profile's questions at the profile's servers. What that takes lies in the profile's directory, beside the runs. */
export const ShardJob = Schema.TaggedStruct("shard", {
  format: Schema.Literal(1),
  /** Name of the profile's directory. */
  profile: RunName,
  /** Name of the shard, which is that of its folder. */
  shard: RunName,
  /** Digest of the whole profile: a worker that finds another one there measures nothing. */
  digest: Schema.String,
  /** Asks once more for samples that could not be had. */
  retry_failed: Schema.Boolean
})

/** What a worker may be asked for. */
export const Job = Schema.Union([RunJob, ShardJob])
export type Job = typeof Job.Type

/** Names a job. */
export const jobName = (job: Job): string => (job._tag === "run" ? job.run : job.shard)

/** Where a job stands, as it is shown. */
export const JobRecord = Schema.Struct({
  format: Schema.Literal(1),
  name: Schema.String,
  /** A job that ended is done again under another number: queues know an id once and for all. */
  attempt: Schema.Int,
  state: Schema.Literals(["queued", "running", "done", "failed"]),
  /** Fencing number of the lease it was written under; a record with a higher one is not replaced, one with the same by its worker alone. */
  fence: Schema.Int,
  /** Host and process of who wrote it; absent where that is who asked for the job. */
  worker: Schema.optionalKey(Schema.String),
  /** Milliseconds since 1970. */
  changed: Schema.Finite,
  /** Why it failed, or what came of it. */
  note: Schema.optionalKey(Schema.String)
})
export type JobRecord = typeof JobRecord.Type

/** The id under which a queue knows a job. */
export const jobId = ({ attempt, name }: Pick<JobRecord, "name" | "attempt">): string => `${name}#${attempt}`
