/** The journal of a run: one line a committed transition, appended and synced before the next begins. What it does not say did not happen. */
import * as Schema from "effect/Schema"
import { CalibrationReading, JudgeAlarm } from "./Calibration.ts"
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
/** The weights that training starts from were opened for the first time. Whoever goes on starts from the same, or is refused. */
export const PolicyOpened = Schema.TaggedStruct("policy_opened", { weights: Schema.String })
/** What came of a question that a step drew; `scored: 0` sends it back to its pool. `advantage` is the mean absolute one. */
export const StepOutcome = Schema.Struct({
  question_id: Schema.String,
  scored: Schema.Int,
  passed: Schema.Int,
  advantage: Schema.optionalKey(Schema.Finite)
})
export type StepOutcome = typeof StepOutcome.Type

/** A round of questions that a gate asked for after the first one, how many lacked then, and what came of them. */
export const Refill = Schema.Struct({
  lacking: Schema.Int,
  batch: PlannedBatch,
  outcomes: Schema.Array(StepOutcome)
})
export type Refill = typeof Refill.Type

/** All completions of a step are generated, scored and on disk, and so are the bytes of its updates. */
export const StepGenerated = Schema.TaggedStruct("step_generated", {
  step: Schema.Int,
  updates: Schema.Array(Schema.Struct({ update: Schema.Int, digest: Schema.String })),
  /** What the step drew: the plan's batch, or another one where the batcher learns from outcomes or questions came back. */
  batch: Schema.optionalKey(PlannedBatch),
  /** What came of each question: all that the batcher's state depends on. */
  outcomes: Schema.optionalKey(Schema.Array(StepOutcome)),
  /** Later rounds of the same step, where a gate refilled it: of each round what was drawn. */
  refill: Schema.optionalKey(Schema.Array(Refill)),
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
/** What is left of the pool was profiled again after a step, and the course begun anew on it. */
export const CourseRefreshed = Schema.TaggedStruct("course_refreshed", {
  step: Schema.Int,
  /** Why, in words, with the figures that decided. */
  reason: Schema.String,
  /** What the refresh adds to metrics.ndjson. */
  rows: Schema.Array(MetricsRow)
})
/** The judge was looked at after a step (0: before the first): its answers to the labelled set where that was due, and what must be looked at. */
export const JudgeRead = Schema.TaggedStruct("judge_read", {
  step: Schema.Int,
  /** Absent where only the step's completions raised an alarm. */
  calibration: Schema.optionalKey(
    Schema.Struct({
      /** Digest of the labelled answers. */
      set: Schema.String,
      reading: CalibrationReading
    })
  ),
  alarms: Schema.Array(JudgeAlarm),
  metrics
})
export const RunFinished = Schema.TaggedStruct("run_finished", { step: Schema.Int })

export const JournalEvent = Schema.Union([
  RunStarted,
  StageFinished,
  PolicyOpened,
  StepGenerated,
  UpdateApplied,
  StepFinished,
  CheckpointWritten,
  CourseRefreshed,
  JudgeRead,
  RunFinished
])
export type JournalEvent = typeof JournalEvent.Type
