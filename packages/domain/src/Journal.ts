/** The journal of a run: one line a committed transition, appended and synced before the next begins. What it does not say did not happen. */
import * as Schema from "effect/Schema"
import { MetricsRow, Stage } from "./Metrics.ts"
import { PlannedBatch } from "./Plan.ts"

const metrics = MetricsRow.fields.metrics

export const RunStarted = Schema.TaggedStruct("run_started", {
  format: Schema.Literal(1),
  attempt: Schema.Int,
  manifest_digest: Schema.String
})
/** A stage's output exists: an artifact by its digest, or a file of the run directory. */
export const StageFinished = Schema.TaggedStruct("stage_finished", {
  stage: Stage,
  /** Digest of everything that the stage's output depends on. */
  input_digest: Schema.String,
  /** True when an earlier run had made it. */
  reused: Schema.Boolean,
  /** Digest of the weights that the stage left, where it trains. */
  weights: Schema.optionalKey(Schema.String),
  /** What the stage adds to metrics.ndjson: the journal is the truth, that file is drawn from it. */
  rows: Schema.Array(MetricsRow)
})
/** What came of a question that a step drew; `scored: 0` sends it back to its pool. `advantage` is the mean absolute one. */
export const StepOutcome = Schema.Struct({
  question_id: Schema.String,
  scored: Schema.Int,
  passed: Schema.Int,
  advantage: Schema.optionalKey(Schema.Finite)
})
export type StepOutcome = typeof StepOutcome.Type

/** All completions of a step are generated, scored and on disk, and so are the bytes of its updates. */
export const StepGenerated = Schema.TaggedStruct("step_generated", {
  step: Schema.Int,
  updates: Schema.Array(Schema.Struct({ update: Schema.Int, digest: Schema.String })),
  /** What the step drew: the plan's batch, or another one where the batcher learns from outcomes or questions came back. */
  batch: Schema.optionalKey(PlannedBatch),
  /** What came of each question: all that the batcher's state depends on. */
  outcomes: Schema.optionalKey(Schema.Array(StepOutcome)),
  metrics
})
export const UpdateApplied = Schema.TaggedStruct("update_applied", {
  step: Schema.Int,
  update: Schema.Int,
  digest: Schema.String,
  version: Schema.Int,
  applied: Schema.Boolean,
  metrics
})
export const StepFinished = Schema.TaggedStruct("step_finished", { step: Schema.Int, version: Schema.Int })
export const CheckpointWritten = Schema.TaggedStruct("checkpoint_written", {
  step: Schema.Int,
  update: Schema.Int,
  digest: Schema.String
})
export const RunFinished = Schema.TaggedStruct("run_finished", { step: Schema.Int })

export const JournalEvent = Schema.Union([
  RunStarted,
  StageFinished,
  StepGenerated,
  UpdateApplied,
  StepFinished,
  CheckpointWritten,
  RunFinished
])
export type JournalEvent = typeof JournalEvent.Type
