/** First and last reading of every evaluation set: the numbers of the verdict. */
import type { EvaluationReading, RunRecord } from "@gradus/domain/RunRecord"
import { differenceStandardError } from "../Statistics.ts"

export interface SetReadings {
  readonly set: string
  readonly first: EvaluationReading
  readonly last: EvaluationReading
  /** False while a set was read only once. */
  readonly compared: boolean
}

/** Finds the readings with the lowest and the highest step of each set, sets in the record's order. */
export const setReadings = (record: Pick<RunRecord, "evaluation">): ReadonlyArray<SetReadings> => {
  const bySet = Map.groupBy(record.evaluation, ({ set }) => set)
  return [...bySet].flatMap(([set, readings]) => {
    const ordered = readings.toSorted((a, b) => a.step - b.step)
    const first = ordered.at(0)
    const last = ordered.at(-1)
    return first === undefined || last === undefined ? [] : [{ set, first, last, compared: first.step < last.step }]
  })
}

/** Counts the samples of a reading that have a score. */
export const scored = ({ samples, unscored }: EvaluationReading): number => samples - unscored

export interface Change {
  readonly difference: number
  /** Binomial standard error of the difference; null where it cannot be had. */
  readonly error: number | null
}

/** Computes how far a set's accuracy moved; null when one end has none or there is only one reading. */
export const accuracyChange = ({ compared, first, last }: SetReadings): Change | null =>
  !compared || first.accuracy === null || last.accuracy === null
    ? null
    : {
        difference: last.accuracy - first.accuracy,
        error: differenceStandardError(
          { share: first.accuracy, samples: scored(first) },
          { share: last.accuracy, samples: scored(last) }
        )
      }
