/** Judging the labelled answers: every answer is asked afresh, since a cached verdict would hide that the judge has changed. */
import type { CalibrationReading } from "@gradus/domain/Calibration"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type LabelledAnswer, readingOf } from "../judge/Calibration.ts"
import { Judge } from "./Judge.ts"

/** Reads a judge as an instrument. */
export class JudgeCalibration extends Context.Service<
  JudgeCalibration,
  { readonly read: (step: number, labelled: ReadonlyArray<LabelledAnswer>) => Effect.Effect<CalibrationReading> }
>()("@gradus/rewards/JudgeCalibration") {
  /** Asks the judge that is provided. */
  static readonly layer: Layer.Layer<JudgeCalibration, never, Judge> = Layer.effect(
    JudgeCalibration,
    Effect.map(Judge, ({ judgeAfresh }) => ({
      read: Effect.fn("JudgeCalibration.read")(function* (step: number, labelled: ReadonlyArray<LabelledAnswer>) {
        const verdicts = yield* Effect.forEach(
          labelled,
          ({ question, gold, answer }) => judgeAfresh({ question, gold, answer }),
          { concurrency: "unbounded" }
        )
        return readingOf(
          step,
          labelled,
          verdicts.map(({ verdict }) => verdict)
        )
      })
    }))
  )

  /** For rewards without a judge: nobody says yes or no. */
  static readonly layerNone: Layer.Layer<JudgeCalibration> = Layer.succeed(JudgeCalibration, {
    read: (step, labelled) =>
      Effect.succeed(
        readingOf(
          step,
          labelled,
          labelled.map(() => "failed")
        )
      )
  })
}
