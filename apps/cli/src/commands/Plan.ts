/** `gradus plan`: every batch before any GPU is used, of one curriculum or of several on one pool. */
import { summarise } from "@gradus/curriculum/PlanCompare"
import { planReport } from "@gradus/curriculum/PlanReport"
import { refusing } from "@gradus/curriculum/PoolInvalid"
import type { PlannedBatch } from "@gradus/domain/Plan"
import type { PlanBatchRow, PlanPoolRow, PlanReport, PlanSummary } from "@gradus/domain/PlanReport"
import * as Seed from "@gradus/domain/Seed"
import * as Effect from "effect/Effect"
import { print, printJson, say } from "../Output.ts"
import { type PlanFlags, type PlanSource, planSource } from "../PlanSource.ts"

export interface PlanOptions extends PlanFlags {
  /** Directory for charts, reports and plans as files. */
  readonly output: string | undefined
  readonly json: boolean
}

/** A plan that was made, with what there is to see of it. */
export interface MadePlan {
  readonly batches: ReadonlyArray<PlannedBatch>
  readonly report: PlanReport
  readonly summary: PlanSummary
}

/** Makes the plan of every curriculum of a source, with the seed that a run of the manifest has. */
export const makePlans = Effect.fn("gradus.makePlans")(function* ({ curricula, manifest, pool }: PlanSource) {
  const { prompts_per_step, samples_per_prompt, steps } = manifest.train
  const seed = Seed.child(Seed.root(manifest.seed), "plan")
  return yield* Effect.forEach(curricula, ({ name, spec }) =>
    Effect.map(
      refusing(() => planReport({ pool, spec, promptsPerStep: prompts_per_step, steps, seed }, name)),
      ({ batches, report }): MadePlan => ({ batches, report, summary: summarise(report, samples_per_prompt) })
    )
  )
})

const three = (value: number | null): string => (value === null ? "-" : value.toFixed(3))
const percent = (share: number): string => `${Math.round(share * 100)} %`

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: ReadonlyArray<string>): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ")
  return [line(head), ...rows.map(line)]
}

const batchLines = (rows: ReadonlyArray<PlanBatchRow>): ReadonlyArray<string> =>
  table(
    ["batch", "questions", "target", "mean pass rate", "fill", "distance"],
    rows.map((row) => [
      String(row.batch),
      String(row.questions),
      three(row.target_mean),
      three(row.achieved_mean),
      percent(row.fill_share),
      three(row.distance)
    ])
  )

/** Pools that a terminal is told of. */
const SHOWN = 40

const poolLines = (pools: ReadonlyArray<PlanPoolRow>): ReadonlyArray<string> => {
  const lines = table(
    ["pool", "questions", "first batch", "dry after", "left"],
    pools
      .slice(0, SHOWN)
      .map(({ domain, dry_after, first_batch, left, questions, rate }) => [
        `${three(rate)}${domain === "" ? "" : ` ${domain}`}`,
        String(questions),
        String(first_batch ?? "never"),
        String(dry_after ?? "-"),
        String(left)
      ])
  )
  return pools.length > SHOWN ? [...lines, `and ${pools.length - SHOWN} more pools: --output writes them all`] : lines
}

const summaryLines = (summaries: ReadonlyArray<PlanSummary>): ReadonlyArray<string> =>
  table(
    ["curriculum", "batches", "questions", "first mean", "last mean", "fill", "distance", "order", "silent groups"],
    summaries.map((one) => [
      one.name,
      String(one.batches),
      String(one.questions),
      three(one.first_mean),
      three(one.last_mean),
      percent(one.fill_share),
      three(one.distance),
      three(one.order),
      one.silent_share === null ? "-" : percent(one.silent_share)
    ])
  )

/** A batch as a line of JSON: its questions, and how near it comes to its target. */
const batchJson = (batch: PlannedBatch, row: PlanBatchRow | undefined) => ({
  ...batch,
  fillShare: row?.fill_share ?? 0,
  distance: row?.distance ?? null,
  totalVariation: row?.total_variation ?? null
})

/** Every line is a batch; the last one also says what is known of the plan as a whole. */
const jsonOf = ({ batches, report }: MadePlan, notes: ReadonlyArray<string>): ReadonlyArray<object> => {
  const { pools, warnings } = report
  const lines = batches.map((batch, i) => batchJson(batch, report.batches[i]))
  return [...lines.slice(0, -1), ...lines.slice(-1).map((last) => ({ ...last, pools, warnings, notes }))]
}

const printOne = Effect.fnUntraced(function* (made: MadePlan, json: boolean, notes: ReadonlyArray<string>) {
  if (json) return yield* Effect.forEach(jsonOf(made, notes), printJson, { discard: true })
  const { report } = made
  for (const line of batchLines(report.batches)) yield* print(line)
  yield* print("")
  for (const line of poolLines(report.pools)) yield* print(line)
})

const printSeveral = Effect.fnUntraced(function* (
  plans: ReadonlyArray<MadePlan>,
  json: boolean,
  notes: ReadonlyArray<string>,
  output: string | undefined
) {
  if (json)
    return yield* printJson({
      curricula: plans.map(({ report: { batches, name, pools, warnings }, summary }) => ({
        name,
        summary,
        batches,
        pools,
        warnings
      })),
      notes,
      ...(output === undefined ? {} : { output })
    })
  for (const line of summaryLines(plans.map(({ summary }) => summary))) yield* print(line)
})

/** Plans and prints: one curriculum batch by batch, several side by side. Warnings are said on standard error. */
export const plan = Effect.fn("gradus.plan")(function* (options: PlanOptions) {
  const source = yield* planSource(options)
  const plans = yield* makePlans(source)
  const [first] = plans
  for (const note of source.notes) yield* say(note)
  for (const { report } of plans)
    for (const warning of report.warnings.filter((line) => !source.notes.includes(line)))
      yield* say(plans.length === 1 ? warning : `${report.name}: ${warning}`)
  if (options.output !== undefined) {
    const { writePlans } = yield* Effect.promise(() => import("../PlanFiles.ts"))
    yield* say(`charts and files: ${yield* writePlans(plans, options.output)}`)
  }
  if (options.compare.length > 0) return yield* printSeveral(plans, options.json, source.notes, options.output)
  if (first !== undefined) yield* printOne(first, options.json, source.notes)
})
