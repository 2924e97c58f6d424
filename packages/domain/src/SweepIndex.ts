/** What a viewer reads of sweeps: their list, and of one sweep its cells with their state and the summaries of the finished ones. */
import * as Schema from "effect/Schema"
import { CellResult } from "./CellResult.ts"

/** How a sweep's folder is called; nothing else may be asked for. */
export const SWEEP_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/

/** What the comparison of a sweep is about: what its plan does not say, and its report needs. */
export const SweepCard = Schema.Struct({
  format: Schema.Literal(1),
  description: Schema.NullOr(Schema.String),
  baseline: Schema.String,
  metric: Schema.Struct({ set: Schema.String, target: Schema.NullOr(Schema.Finite) }),
  /** Resamples of every interval. */
  resamples: Schema.Int,
  /** Where the summaries of finished cells lie, relative to the sweep's folder. */
  results: Schema.String,
  /** By which rule each arm orders its questions. */
  batchers: Schema.Record(Schema.String, Schema.String)
})
export type SweepCard = typeof SweepCard.Type

/** `begun`: a worker is at it, or was killed; which of the two only the lease knows, and looking at a sweep takes no lease. */
export const SweepCellState = Schema.Literals([
  "finished",
  "begun",
  "failed",
  "cancelled",
  "paused",
  "stopped",
  "waiting"
])
export type SweepCellState = typeof SweepCellState.Type

export const SweepCellEntry = Schema.Struct({
  arm: Schema.String,
  seed: Schema.Int,
  state: SweepCellState,
  /** Its run; null where there is none yet, or only its summary is here. */
  run: Schema.NullOr(Schema.String),
  attempts: Schema.Int,
  /** What the last attempt failed with. */
  message: Schema.NullOr(Schema.String),
  result: Schema.NullOr(CellResult)
})
export type SweepCellEntry = typeof SweepCellEntry.Type

/** A sweep in the table of sweeps. */
export const SweepEntry = Schema.Struct({
  sweep: Schema.String,
  description: Schema.NullOr(Schema.String),
  arms: Schema.Int,
  seeds: Schema.Int,
  /** Cells by state. */
  cells: Schema.Record(Schema.String, Schema.Int),
  planned: Schema.Int
})
export type SweepEntry = typeof SweepEntry.Type

export const SweepIndex = Schema.Struct({ format: Schema.Literal(1), sweeps: Schema.Array(SweepEntry) })
export type SweepIndex = typeof SweepIndex.Type

/** One sweep, with all that its page shows. */
export const SweepView = Schema.Struct({
  ...SweepCard.fields,
  sweep: Schema.String,
  /** Digest of the plan. */
  digest: Schema.String,
  /** True where a simulated policy answered in a cell. */
  simulated: Schema.Boolean,
  cells: Schema.Array(SweepCellEntry)
})
export type SweepView = typeof SweepView.Type
