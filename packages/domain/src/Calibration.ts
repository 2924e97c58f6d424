/** Readings of a judge against labelled answers, and the alarms that they raise: what the journal keeps of them. */
import * as Schema from "effect/Schema"

/** One reading of the instrument. Shares are null where nothing could be counted. */
export const CalibrationReading = Schema.Struct({
  step: Schema.Int,
  labelled: Schema.Int,
  /** Answers that the judge could not say yes or no to. */
  unscored: Schema.Int,
  /** Share of yes and no that is what the person said. */
  agreement: Schema.NullOr(Schema.Finite),
  /** Share of wrong answers that were accepted. */
  falseAccepts: Schema.NullOr(Schema.Finite),
  /** Share of right answers that were refused. */
  falseRejects: Schema.NullOr(Schema.Finite),
  /** Share of yes among yes and no. */
  mean: Schema.NullOr(Schema.Finite),
  /** What was said of each answer, in order. */
  said: Schema.Array(Schema.Literals(["yes", "no", "unreadable", "failed"]))
})
export type CalibrationReading = typeof CalibrationReading.Type

/** What a person must look at: a share or a difference of shares that passed the manifest's limit. */
export const JudgeAlarm = Schema.Struct({
  kind: Schema.Literals(["agreement", "false_accepts", "judge_rises_alone"]),
  step: Schema.Int,
  found: Schema.Finite,
  limit: Schema.Finite
})
export type JudgeAlarm = typeof JudgeAlarm.Type
