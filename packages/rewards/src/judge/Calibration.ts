/** Calibration: how well a judge agrees with labelled answers, how it drifts, and when somebody must look. */
import type { CalibrationReading, JudgeAlarm } from "@gradus/domain/Calibration"
import type { CalibrationSpec } from "@gradus/domain/manifest/Rewards"
import type { MetricsRow } from "@gradus/domain/Metrics"
import * as Schema from "effect/Schema"
import type { Word } from "./Consensus.ts"

/** A row of the calibration file. */
export const LabelledAnswer = Schema.Struct({
  id: Schema.String,
  question: Schema.optionalKey(Schema.String),
  gold: Schema.String,
  answer: Schema.String,
  /** What a person said. */
  right: Schema.Boolean
})
export type LabelledAnswer = typeof LabelledAnswer.Type

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)

/** Reads the instrument: `said` is aligned to `labelled`. */
export const readingOf = (
  step: number,
  labelled: ReadonlyArray<LabelledAnswer>,
  said: ReadonlyArray<Word>
): CalibrationReading => {
  const pairs = labelled.flatMap(({ right }, i) => {
    const word = said[i]
    return word === "yes" || word === "no" ? [{ right, yes: word === "yes" }] : []
  })
  const count = (holds: (pair: (typeof pairs)[number]) => boolean): number => pairs.filter(holds).length
  const rights = count(({ right }) => right)
  return {
    step,
    labelled: labelled.length,
    unscored: labelled.length - pairs.length,
    agreement: share(
      count(({ right, yes }) => right === yes),
      pairs.length
    ),
    falseAccepts: share(
      count(({ right, yes }) => !right && yes),
      pairs.length - rights
    ),
    falseRejects: share(
      count(({ right, yes }) => right && !yes),
      rights
    ),
    mean: share(
      count(({ yes }) => yes),
      pairs.length
    ),
    said
  }
}

/** Share of the answers on which the judge says something else than it said at first; null where the two do not match. */
export const drift = (first: CalibrationReading, now: CalibrationReading): number | null =>
  first.said.length === now.said.length
    ? share(now.said.filter((word, i) => word !== first.said[i]).length, now.said.length)
    : null

/** Compares a reading with the manifest's limits. What could not be counted raises no alarm: it stands in the metrics as null. */
export const readingAlarms = (spec: CalibrationSpec, reading: CalibrationReading): ReadonlyArray<JudgeAlarm> => {
  const { step, agreement, falseAccepts } = reading
  return [
    ...(agreement !== null && agreement < spec.agreement
      ? [{ kind: "agreement" as const, step, found: agreement, limit: spec.agreement }]
      : []),
    ...(falseAccepts !== null && falseAccepts > spec.false_accepts
      ? [{ kind: "false_accepts" as const, step, found: falseAccepts, limit: spec.false_accepts }]
      : [])
  ]
}

/** A reading as metrics of its step. */
export const calibrationMetrics = (first: CalibrationReading, now: CalibrationReading): MetricsRow["metrics"] => ({
  "judge/calibration/agreement": now.agreement,
  "judge/calibration/false_accepts": now.falseAccepts,
  "judge/calibration/false_rejects": now.falseRejects,
  "judge/calibration/unscored": now.unscored,
  "judge/calibration/mean": now.mean,
  "judge/calibration/drift": drift(first, now)
})
