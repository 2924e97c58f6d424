/** Watching the judge while it is the reward: labelled answers at the start and every so many steps, and its mean against a rule's. */
import type { CalibrationReading, JudgeAlarm } from "@gradus/domain/Calibration"
import { ofJson } from "@gradus/domain/Digest"
import type { JournalEvent } from "@gradus/domain/Journal"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { CalibrationSpec } from "@gradus/domain/manifest/Rewards"
import type { MetricsRow } from "@gradus/domain/Metrics"
import { DatasetRowInvalid } from "@gradus/datasets/DatasetErrors"
import { readRows } from "@gradus/datasets/service/Rows"
import { auditAlarm, auditMetrics, auditOf, auditRead } from "@gradus/rewards/judge/Audit"
import { calibrationMetrics, LabelledAnswer, readingAlarms } from "@gradus/rewards/judge/Calibration"
import { judgeMetrics } from "@gradus/rewards/judge/JudgeMetrics"
import { JudgeCalibration } from "@gradus/rewards/service/JudgeCalibration"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import type { RunContext } from "./Context.ts"
import * as Progress from "./Progress.ts"
import { requestsOf, type ScoredGroup } from "./Sampling.ts"

/** The labelled answers are others than those that the run began with: drift could not be told from the change. */
export class CalibrationSetChanged extends Schema.TaggedError<CalibrationSetChanged>()("CalibrationSetChanged", {
  file: Schema.String
}) {
  override get message(): string {
    return `${this.file} holds other labelled answers than when the run began; put the old ones back, or begin another run`
  }
}

/** What the judge said of a step's completions, what it cost, and what a rule says of a sample of them. Empty without a judge. */
export const judgeStepMetrics = (
  { rewards }: Manifest,
  step: number,
  groups: ReadonlyArray<ScoredGroup>
): MetricsRow["metrics"] => {
  if (rewards.judge === undefined) return {}
  const scores = groups.flatMap((group) => group.scores)
  const { calibration } = rewards.judge
  if (calibration === undefined) return judgeMetrics(scores)
  const audit = auditOf(step, rewards, groups.flatMap(requestsOf), scores, calibration.sample)
  return { ...judgeMetrics(scores), ...auditMetrics(audit) }
}

const readLabelled = Effect.fn("JudgeWatch.readLabelled")(function* (context: RunContext, { file }: CalibrationSpec) {
  const path = yield* Path.Path
  const from = path.resolve(context.base, file)
  const decode = Schema.decodeUnknownEffect(LabelledAnswer)
  const rows = yield* Effect.forEach(yield* readRows(from), ({ row, values }) =>
    decode(values).pipe(Effect.mapError((error) => new DatasetRowInvalid({ file: from, row, reason: error.message })))
  )
  return { file: from, rows, set: ofJson(rows) }
})

const readingsOf = (events: ReadonlyArray<JournalEvent>) =>
  events.flatMap((event) => (event._tag === "judge_read" ? (event.calibration ?? []) : []))

/** Asks the judge about the labelled answers. */
const calibrate = Effect.fn("JudgeWatch.calibrate")(function* (
  context: RunContext,
  spec: CalibrationSpec,
  step: number
) {
  const { file, rows, set } = yield* readLabelled(context, spec)
  const before = readingsOf(context.journal.events())[0]
  if (before !== undefined && before.set !== set) return yield* new CalibrationSetChanged({ file })
  const reading = yield* (yield* JudgeCalibration).read(step, rows)
  return { set, reading, first: before?.reading ?? reading }
})

/** The alarm of a step's completions, from the counts that stand in the journal. */
const risen = (spec: CalibrationSpec, events: ReadonlyArray<JournalEvent>): JudgeAlarm | undefined =>
  auditAlarm(
    spec,
    events.flatMap((event) => (event._tag === "step_generated" ? [auditRead(event.step, event.metrics)] : []))
  )

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

/** Says an alarm in words. */
const alarmText = ({ found, kind, limit, step }: JudgeAlarm): string =>
  ({
    agreement: `the judge agrees with ${percent(found)} of the labels at step ${step} (limit ${percent(limit)})`,
    false_accepts: `the judge accepts ${percent(found)} of the wrong labelled answers at step ${step} (limit ${percent(limit)})`,
    judge_rises_alone: `the judge's mean has risen by ${percent(found)} more than a rule's at step ${step} (limit ${percent(limit)}): read some completions that it accepts`
  })[kind]

const metricsOf = (
  alarms: ReadonlyArray<JudgeAlarm>,
  calibrated: { readonly first: CalibrationReading; readonly reading: CalibrationReading } | undefined
): MetricsRow["metrics"] => ({
  ...(calibrated === undefined ? {} : calibrationMetrics(calibrated.first, calibrated.reading)),
  ...Object.fromEntries(alarms.map(({ kind }) => [`judge/alarm/${kind}`, 1]))
})

/** Looks at the judge after a step, where the manifest says how; a look that is in the journal is not taken again. */
export const watchJudge = Effect.fn("JudgeWatch.watch")(function* (context: RunContext, step: number) {
  const spec = context.manifest.rewards.judge?.calibration
  const events = context.journal.events()
  if (spec === undefined || events.some((event) => event._tag === "judge_read" && event.step === step)) return
  const calibrated = step % spec.every === 0 ? yield* calibrate(context, spec, step) : undefined
  const alone = step === 0 ? undefined : risen(spec, events)
  const alarms = [
    ...(calibrated === undefined ? [] : readingAlarms(spec, calibrated.reading)),
    ...(alone === undefined ? [] : [alone])
  ]
  if (calibrated === undefined && alarms.length === 0) return
  yield* context.journal.commit({
    _tag: "judge_read",
    step,
    ...(calibrated === undefined ? {} : { calibration: { set: calibrated.set, reading: calibrated.reading } }),
    alarms,
    metrics: metricsOf(alarms, calibrated)
  })
  if (calibrated !== undefined)
    yield* Progress.report({
      stage: "calibrate judge",
      done: 1,
      total: 1,
      unit: "readings",
      note: `agreement ${calibrated.reading.agreement?.toFixed(3) ?? "-"}`
    })
  for (const alarm of alarms) yield* Effect.logWarning(alarmText(alarm))
})
