/** What a reader must know about the judge: the alarms that its calibration raised during the run. */
import type { RunRecord } from "@gradus/domain/RunRecord"

const SAID = {
  agreement: "the judge agreed with fewer of the labelled answers than the manifest asks for",
  false_accepts: "the judge accepted more of the wrong labelled answers than the manifest allows",
  judge_rises_alone:
    "the judge's mean rose while a sample graded by a rule did not: the policy may have learnt to please the judge"
} as const

/** Writes a line for each kind of alarm, with the steps at which it was raised; no line without an alarm. */
export const judgeAlarms = ({ metrics }: Pick<RunRecord, "metrics">): ReadonlyArray<string> =>
  Object.entries(SAID).flatMap(([kind, said]) => {
    const steps = metrics.flatMap((row) => (row.metrics[`judge/alarm/${kind}`] === 1 ? [row.step] : []))
    return steps.length === 0 ? [] : [`At step ${steps.join(", ")} ${said}.`]
  })
