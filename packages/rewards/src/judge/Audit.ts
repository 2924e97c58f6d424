/** Audit of a judge during training: its mean against a sample of the same step's completions that a rule grades. */
import type { JudgeAlarm } from "@gradus/domain/Calibration"
import { ofText } from "@gradus/domain/Digest"
import type { CalibrationSpec, RewardsSpec } from "@gradus/domain/manifest/Rewards"
import type { MetricsRow } from "@gradus/domain/Metrics"
import type { Score, ScoreRequest } from "@gradus/domain/Score"
import { numeric } from "../accuracy/Numeric.ts"
import { answerOf } from "../Score.ts"
import { isNumberTruth } from "./guard/NumberTruth.ts"

/** Counts of one step. */
export interface AuditReading {
  readonly step: number
  /** Completions that the judge said yes or no to, and the yes among them. */
  readonly judged: number
  readonly yes: number
  /** Completions of the sample that the rule could grade, and the right ones among them. */
  readonly graded: number
  readonly right: number
}

/** Whether an id is in a sample of a share; always the same ids, whatever else is there. */
const sampled = (id: string, share: number): boolean =>
  Number.parseInt(ofText(id).slice(0, 8), 16) / 0x1_0000_0000 < share

/**
 * Reads one step: what the judge said of all, and what the numeric rule says of a share of those whose truth is a number (the rule
 * reads numbers and nothing else, so no text can persuade it).
 */
export const auditOf = (
  step: number,
  spec: RewardsSpec,
  requests: ReadonlyArray<ScoreRequest>,
  scores: ReadonlyArray<Score>,
  share: number
): AuditReading => {
  const words = scores.flatMap(({ verdict }) =>
    verdict?.verdict === "yes" || verdict?.verdict === "no" ? [verdict.verdict] : []
  )
  const graded = requests
    .filter(({ id, gold }) => isNumberTruth(gold) && sampled(id, share))
    .map((request) => numeric(answerOf(spec, request), request.gold))
    .flatMap((accuracy) => (accuracy.kind === "scored" ? [accuracy.value] : []))
  return {
    step,
    judged: words.length,
    yes: words.filter((word) => word === "yes").length,
    graded: graded.length,
    right: graded.filter((value) => value === 1).length
  }
}

/** Standard deviations of chance that the gap must pass beside the manifest's limit: about one false alarm in 30,000 looks. */
const SIGMAS = 4

/** A proportion with one success and one failure more, so that 0 of 20 has a variance too. */
const variance = (part: number, whole: number): number => {
  const p = (part + 1) / (whole + 2)
  return (p * (1 - p)) / whole
}

/**
 * Raises an alarm when the judge's mean has risen since the first reading by more than `rise`, the rule-graded sample has not risen with
 * it (their difference is more than `rise` too), and chance does not explain that difference.
 */
export const risesAlone = (
  { rise }: Pick<CalibrationSpec, "rise">,
  first: AuditReading,
  now: AuditReading
): JudgeAlarm | undefined => {
  if (Math.min(first.judged, now.judged, first.graded, now.graded) === 0) return undefined
  const judge = now.yes / now.judged - first.yes / first.judged
  const rule = now.right / now.graded - first.right / first.graded
  const chance = Math.sqrt(
    variance(first.yes, first.judged) +
      variance(now.yes, now.judged) +
      variance(first.right, first.graded) +
      variance(now.right, now.graded)
  )
  if (judge <= rise || judge - rule <= Math.max(rise, SIGMAS * chance)) return undefined
  return { kind: "judge_rises_alone", step: now.step, found: judge - rule, limit: rise }
}

/** Steps that are looked at together: a single one has few completions. */
const WINDOW = 5

const together = (readings: ReadonlyArray<AuditReading>): AuditReading => {
  const sum = (of: (reading: AuditReading) => number) => readings.reduce((total, reading) => total + of(reading), 0)
  return {
    step: readings.at(-1)?.step ?? 0,
    judged: sum(({ judged }) => judged),
    yes: sum(({ yes }) => yes),
    graded: sum(({ graded }) => graded),
    right: sum(({ right }) => right)
  }
}

/** Compares the latest steps with the first ones. Raises the alarm when it begins to hold, not at every step while it holds. */
export const auditAlarm = (
  spec: Pick<CalibrationSpec, "rise">,
  readings: ReadonlyArray<AuditReading>
): JudgeAlarm | undefined => {
  const first = together(readings.slice(0, WINDOW))
  const alarmAt = (count: number) =>
    count < 2 * WINDOW ? undefined : risesAlone(spec, first, together(readings.slice(count - WINDOW, count)))
  return alarmAt(readings.length - 1) === undefined ? alarmAt(readings.length) : undefined
}

/** Counts of an audit as metrics of its step; how often the judge said yes stands beside them as `judge/yes` and `judge/no`. */
export const auditMetrics = ({ graded, right }: AuditReading): MetricsRow["metrics"] => ({
  "judge/audit/graded": graded,
  "judge/audit/right": right
})

/** Reads an audit back from the metrics of its step. */
export const auditRead = (step: number, metrics: MetricsRow["metrics"]): AuditReading => {
  const count = (name: string): number => metrics[name] ?? 0
  const yes = count("judge/yes")
  return {
    step,
    judged: yes + count("judge/no"),
    yes,
    graded: count("judge/audit/graded"),
    right: count("judge/audit/right")
  }
}
