/** Judging the labelled answers: every answer is asked afresh, since a cached verdict would hide that the judge has changed. */
import * as Effect from "effect/Effect"
import { type CalibrationReading, type LabelledAnswer, readingOf } from "../judge/Calibration.ts"
import { Judge } from "./Judge.ts"

/** Reads the judge at a step. */
export const calibrate = Effect.fn("JudgeCalibration.calibrate")(function* (
  step: number,
  labelled: ReadonlyArray<LabelledAnswer>
): Effect.fn.Return<CalibrationReading, never, Judge> {
  const { judgeAfresh } = yield* Judge
  const verdicts = yield* Effect.forEach(
    labelled,
    ({ question, gold, answer }) => judgeAfresh({ question, gold, answer }),
    {
      concurrency: "unbounded"
    }
  )
  return readingOf(
    step,
    labelled,
    verdicts.map(({ verdict }) => verdict)
  )
})
