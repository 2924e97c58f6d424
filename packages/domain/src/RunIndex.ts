/** What a viewer reads first: the runs of a directory, and the files of a run. Everything else it reads from those files. */
import * as Schema from "effect/Schema"

/** When a run was last written, without asking for its lease: ms since 1970. */
const lastWritten = {
  /** Its journal; null where the file system does not say. */
  changed: Schema.NullOr(Schema.Finite),
  /** Any of its files, by the process that owns it; null where no process does, or the last one left in order. */
  owned: Schema.NullOr(Schema.Finite)
}

/** A run in the table of runs. */
export const RunEntry = Schema.Struct({
  run: Schema.String,
  name: Schema.String,
  finished: Schema.Boolean,
  /** True where a simulated policy answered. */
  simulated: Schema.Boolean,
  /** ISO 8601; null where the run was cut before it said where it comes from. */
  created: Schema.NullOr(Schema.String),
  ...lastWritten,
  seed: Schema.Int,
  batcher: Schema.String,
  /** Finished steps. */
  steps: Schema.Int,
  /** Mean reward over the steps, thinned to at most 60 points. */
  reward: Schema.Array(Schema.NullOr(Schema.Finite)),
  evaluation: Schema.Array(
    Schema.Struct({ set: Schema.String, first: Schema.NullOr(Schema.Finite), last: Schema.NullOr(Schema.Finite) })
  )
})
export type RunEntry = typeof RunEntry.Type

export const RunIndex = Schema.Struct({ format: Schema.Literal(1), runs: Schema.Array(RunEntry) })
export type RunIndex = typeof RunIndex.Type

/** The files of a run that a viewer may read: no weights, no logs, no trainer state. */
export const RunFiles = Schema.Struct({
  format: Schema.Literal(1),
  run: Schema.String,
  ...lastWritten,
  files: Schema.Array(Schema.Struct({ path: Schema.String, bytes: Schema.Finite }))
})
export type RunFiles = typeof RunFiles.Type

/** How a run directory is called; nothing else may be asked for. */
export const RUN_NAME = /^[A-Za-z0-9][\w.-]*--[0-9a-f]+$/

/** The paths in a run directory that may be asked for. */
export const RUN_FILE =
  /^(?:manifest\.yaml|(?:resolved|lineage)\.json|(?:events|metrics|timings)\.ndjson|(?:plan|profile|filter|history)\.parquet|report\.html|rejudged\.json|steps\/\d{6}\/(?:rollouts(?:\.verdicts)?\.parquet|update_\d+\.arrow)|eval\/[\w-]+\/\d{6}(?:\.verdicts)?\.(?:json|parquet)|refresh\/\d{6}\/profile\.parquet)$/
