/**
 * Turns records into chart specs, in a worker: the tables compile their expressions, which the pages' policy forbids, and a worker has no page that
 * hostile text could get into. A sweep's bootstraps take their time here too, where they hold up no page.
 */
import type { Chart } from "@gradus/analytics/Chart"
import { charts } from "@gradus/analytics/Charts"
import { judgeAgainstRule } from "@gradus/analytics/charts/judge/judgeAgainstRule"
import { judgeVerdicts } from "@gradus/analytics/charts/judge/judgeVerdicts"
import { judgeCost } from "@gradus/analytics/charts/judgeCost"
import { rewardOfRuns } from "@gradus/analytics/charts/rewardOfRuns"
import { isSimulated, marked } from "@gradus/analytics/Simulated"
import { compareArms, type Comparison } from "@gradus/analytics/sweep/compareArms"
import { sweepCharts } from "@gradus/analytics/sweep/SweepCharts"
import type { SweepRecord } from "@gradus/analytics/sweep/SweepRecord"
import { columnsOf, rowsOf } from "@gradus/analytics/Tables"
import { judgeAgreement } from "@gradus/analytics/verbs/judgeAgreement"
import type { RunRecord } from "@gradus/domain/RunRecord"
import type { TopLevelSpec } from "vega-lite"
import type { Judged } from "./Judged.ts"

export interface Drawn {
  readonly name: string
  readonly title: string
  readonly caption: string
  readonly spec: TopLevelSpec
}

export type Question =
  | { readonly kind: "runs"; readonly records: ReadonlyArray<RunRecord> }
  | { readonly kind: "judge"; readonly record: RunRecord; readonly judged: ReadonlyArray<Compared> }
  | { readonly kind: "sweep"; readonly record: SweepRecord; readonly simulated: boolean }

/** A completion that was judged, as far as its comparison needs it. */
export type Compared = Pick<Judged, "step" | "verdict" | "rule">

/** A row of `judgeAgreement`. */
export interface Agreement {
  readonly compared: number
  readonly agreement: number
  readonly low: number
  readonly high: number
  readonly false_accepts: number | null
  readonly false_rejects: number | null
}

export interface Answer {
  readonly drawn: ReadonlyArray<Drawn>
  /** Of a sweep. */
  readonly comparison?: Comparison
  /** Of a judge. */
  readonly agreement?: Agreement
}

export interface Asked {
  readonly id: number
  readonly question: Question
}

export interface Answered {
  readonly id: number
  readonly answer?: Answer
  readonly failure?: string
}

const drawnOf = (all: ReadonlyArray<Chart>, record: RunRecord): ReadonlyArray<Drawn> =>
  all.flatMap(({ caption, name, spec: specOf, title }) => {
    const spec = specOf(record)
    return spec === null ? [] : [{ caption, name, spec: isSimulated(record) ? marked(spec) : spec, title }]
  })

const ofSeveral = (records: ReadonlyArray<RunRecord>): ReadonlyArray<Drawn> => {
  const spec = rewardOfRuns(records)
  if (spec === null) return []
  const own = records.some(isSimulated) ? marked(spec) : spec
  return [{ name: "reward", title: "Reward", caption: "Mean reward of each step, by run.", spec: own }]
}

const ofSweep = (record: SweepRecord, simulated: boolean): Answer => {
  const comparison = compareArms(record)
  const drawn = sweepCharts.flatMap(({ caption, name, spec: specOf, title }) => {
    const spec = specOf(record, comparison)
    return spec === null ? [] : [{ caption, name, spec: simulated ? marked(spec) : spec, title }]
  })
  return { drawn, comparison }
}

const againstRule = (spec: TopLevelSpec | null): Chart => ({
  name: "judge-against-rule",
  title: "Judge against rule",
  caption:
    "Share of a step's completions that the judge accepts, and that a rule calls right, of those with a number for a truth: a judge that rises alone is being persuaded.",
  spec: () => spec
})

const ofJudge = (record: RunRecord, judged: ReadonlyArray<Compared>): Answer => {
  const table = columnsOf(
    judged.map((one) => ({ ...one, stage: "train" })),
    ["stage", "step", "verdict", "rule"]
  )
  const [agreement] = rowsOf<Agreement>(judgeAgreement("stage")(table))
  const drawn = drawnOf(
    [againstRule(judgeAgainstRule(judgeAgreement("step")(table))), judgeVerdicts, judgeCost],
    record
  )
  return agreement === undefined ? { drawn } : { drawn, agreement }
}

const answerTo = (question: Question): Answer => {
  if (question.kind === "judge") return ofJudge(question.record, question.judged)
  if (question.kind === "sweep") return ofSweep(question.record, question.simulated)
  const [first, ...others] = question.records
  if (first === undefined) return { drawn: [] }
  return { drawn: others.length === 0 ? drawnOf(charts, first) : ofSeveral([first, ...others]) }
}

const answered = ({ id, question }: Asked): Answered => {
  try {
    return { id, answer: answerTo(question) }
  } catch (cause) {
    return { id, failure: cause instanceof Error ? cause.message : String(cause) }
  }
}

addEventListener("message", (event: MessageEvent<Asked>) => postMessage(answered(event.data)))
