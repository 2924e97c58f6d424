/** What a judge said of the completions of a run's steps, beside what a rule says of the same ones. */
import type { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import type { VerdictRecord } from "@gradus/domain/VerdictRecord"
import { numeric } from "@gradus/rewards/accuracy/Numeric"
import { isNumberTruth } from "@gradus/rewards/judge/guard/NumberTruth"
import { readVerdict } from "@gradus/rewards/judge/Verdict"
import * as Schema from "effect/Schema"
import { parquetReadObjects } from "hyparquet"
import * as Files from "./Files.ts"
import { verdictsOf } from "./Groups.ts"
import { stepFile, stepsOf } from "./Run.ts"

const Asked = Schema.Struct({
  sample_id: Schema.String,
  question_id: Schema.String,
  k: Schema.Int,
  gold: Schema.String,
  answer: Schema.NullOr(Schema.String)
})
type Asked = typeof Asked.Type
const decodeAsked = Schema.decodeUnknownPromise(Schema.Array(Asked))

export interface Judged extends VerdictRecord, Asked {
  readonly step: number
  /** Null where no rule can tell. */
  readonly rule: "right" | "wrong" | null
}

/** Says what the rule of a run's audit says of an answer: where the truth is a number it reads numbers and nothing else, so no text can persuade it. */
export const ruleOf = ({ answer, gold }: Pick<Asked, "answer" | "gold">): Judged["rule"] => {
  if (!isNumberTruth(gold)) return null
  const said = numeric(answer, gold)
  if (said.kind !== "scored") return null
  return said.value === 1 ? "right" : "wrong"
}

/** Whether judge and rule say the opposite of each other. */
export const differs = ({ rule, verdict }: Pick<Judged, "rule" | "verdict">): boolean =>
  (verdict === "yes" && rule === "wrong") || (verdict === "no" && rule === "right")

/** Whether judges of a panel may say the opposite of each other, or one judge of itself. */
export const mayContradict = ({ panel, repeats, swap }: JudgeSpec): boolean => panel.length > 0 || swap || repeats > 1

/**
 * Whether the calls about a completion contradicted each other: nobody could read a verdict from them together, though the reply that is stored says yes or
 * no by itself. Single votes are not stored: where one of the calls was unreadable, its reply is, and a contradiction of the others is not seen.
 */
export const contradicts = (
  { reply, verdict }: Pick<Judged, "reply" | "verdict">,
  { structured, verdict: rule }: Pick<JudgeSpec, "structured" | "verdict">
): boolean => {
  if (verdict !== "unreadable" || reply === null) return false
  const rules = structured === "auto" ? [rule, "json_last" as const] : [rule]
  return rules.some((one) => readVerdict(reply, one) !== "unreadable")
}

const ofStep = async (
  run: string,
  files: ReadonlyMap<string, number>,
  step: number
): Promise<ReadonlyArray<Judged>> => {
  const verdicts = await verdictsOf(run, files, step)
  if (verdicts.size === 0) return []
  const path = stepFile(step, "rollouts.parquet")
  const file = await Files.openTable(`runs/${run}/${path}`, files.get(path) ?? 0)
  const rows = await decodeAsked(await parquetReadObjects({ file, columns: Object.keys(Asked.fields) }))
  return rows.flatMap((row) => {
    const verdict = verdicts.get(row.sample_id)
    return verdict === undefined ? [] : [{ ...verdict, ...row, step, rule: ruleOf(row) }]
  })
}

/** Reads all completions of a run's steps that a judge was asked about, in the order of the steps. */
export const judgedOf = async (run: string, files: ReadonlyMap<string, number>): Promise<ReadonlyArray<Judged>> =>
  (await Promise.all(stepsOf(files).map((step) => ofStep(run, files, step)))).flat()
