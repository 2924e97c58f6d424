/** A run as a job for any worker, and back: what `gradus queue add` writes is what `gradus worker` reads. */
import { Digest } from "@gradus/domain/Digest"
import { RunJob } from "@gradus/domain/Job"
import { Manifest } from "@gradus/domain/manifest/Manifest"
import type { RunInput } from "@gradus/experiment/Run"
import { changedSince } from "@gradus/experiment/StoredManifest"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { runName } from "./RunPlace.ts"

/** A job's manifest is not one that this version reads. */
export class JobUnreadable extends Schema.TaggedError<JobUnreadable>()("JobUnreadable", {
  run: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `the job of ${this.run} cannot be read by this worker (another version of gradus?): ${this.reason}`
  }
}

const decode = Schema.decodeUnknownEffect(
  Schema.Struct({ digest: Digest, manifest: Schema.toType(Manifest), provenance: Schema.Array(Schema.Unknown) })
)

/** Puts a run into a job. */
export const jobOf = (input: RunInput, run: string): Effect.Effect<typeof RunJob.Type, Schema.SchemaError> => {
  const { base, resolved, written } = input
  const { digest, manifest, provenance } = resolved
  return Schema.decodeUnknownEffect(RunJob)(
    // as files hold it: what is undefined is absent
    JSON.parse(
      JSON.stringify({ _tag: "run", format: 1, run, written, base, resolved: { digest, manifest, provenance } })
    )
  )
}

/** Takes the run out of a job. `runs` is this host's directory of runs. */
export const inputOf = Effect.fn("JobEnvelope.input")(function* (
  job: typeof RunJob.Type,
  runs: string,
  origin: RunInput["origin"]
) {
  const path = yield* Path.Path
  const resolved = yield* decode(job.resolved).pipe(
    Effect.mapError((error) => new JobUnreadable({ run: job.run, reason: error.message }))
  )
  const unlike = (field: string, reason: string) => new JobUnreadable({ run: job.run, reason: `${field}: ${reason}` })
  const changed = changedSince(resolved)
  if (changed !== undefined)
    return yield* unlike(changed, "it is not what the digest of the job's manifest was taken of")
  // the digest names the directory: a job that is sent to another one would go on with another run
  if (!job.run.endsWith(runName("", resolved.digest)))
    return yield* unlike("run", `its name does not end in that of its manifest, ${runName("", resolved.digest)}`)
  const input: RunInput = { resolved, written: job.written, base: job.base, root: path.resolve(runs, job.run), origin }
  return input
})
