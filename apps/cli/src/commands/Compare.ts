/** `gradus compare RUN RUN…`: finished runs against the first one's manifest, by seed where they pair and question by question. */
import { compareArms } from "@gradus/analytics/sweep/compareArms"
import { questionDifference, questionSummary } from "@gradus/analytics/sweep/compareQuestions"
import type { SweepRecord } from "@gradus/analytics/sweep/SweepRecord"
import { decodeRows } from "@gradus/datasets/Parquet"
import type { CellResult } from "@gradus/domain/CellResult"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import { RolloutRow } from "@gradus/domain/RunRecord"
import { exists, readFile, readJson } from "@gradus/experiment/AtomicFile"
import { firstDifference } from "@gradus/experiment/Difference"
import { ResolvedFile } from "@gradus/experiment/ReadRun"
import { layout } from "@gradus/experiment/RunDirectory"
import { identity } from "@gradus/manifest/Resolve"
import { writeReport } from "@gradus/sweep/Report"
import { resultOf } from "@gradus/sweep/Result"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import { comparisonLines } from "../ComparisonLines.ts"
import { print, printJson } from "../Output.ts"
import { UsageError } from "../UsageError.ts"

export interface CompareOptions {
  readonly runs: ReadonlyArray<string>
  readonly metric: string
  /** Directory for a page with the same numbers and their figures. */
  readonly html: string | undefined
  readonly json: boolean
}

/** Resamples of every interval. */
const RESAMPLES = 10_000

interface ComparedRun {
  readonly root: string
  readonly manifest: Manifest
  readonly result: CellResult
}

const readOne = Effect.fnUntraced(function* (directory: string) {
  const path = yield* Path.Path
  const root = path.resolve(directory)
  const result = yield* resultOf(root)
  const { manifest } = yield* readJson(ResolvedFile, (yield* layout(root)).resolved)
  return { root, manifest, result } satisfies ComparedRun
})

/** Runs whose manifests differ in nothing but the seed are one arm. */
const armOf = ({ manifest }: ComparedRun): string => identity({ ...manifest, seed: 0 })

/** Names arms by their manifests' names, or by what differs first where these are the same. */
const namesOf = (runs: ReadonlyArray<ComparedRun>): ReadonlyMap<string, string> => {
  const first = new Map<string, ComparedRun>()
  for (const one of runs) if (!first.has(armOf(one))) first.set(armOf(one), one)
  const [baseline] = runs
  const plain = (one: ComparedRun): string => one.manifest.name
  const all = [...first].map(([arm, one]) => {
    const same = [...first.values()].filter((other) => plain(other) === plain(one)).length > 1
    const field =
      same && baseline !== undefined
        ? firstDifference(baseline.manifest, { ...one.manifest, seed: baseline.manifest.seed })
        : undefined
    return [arm, same ? `${plain(one)} (${field ?? "as written"}, ${arm.slice(0, 6)})` : plain(one)] as const
  })
  return new Map(all)
}

const samplesOf = Effect.fnUntraced(function* ({ result, root }: ComparedRun, set: string) {
  const file = (yield* layout(root)).evaluation(set, result.steps).rollouts
  return (yield* exists(file)) ? yield* decodeRows(RolloutRow, yield* readFile(file)) : []
})

/** Compares each run with the first one on the questions of an evaluation set after the last step. */
const questionwise = Effect.fnUntraced(function* (runs: ReadonlyArray<ComparedRun>, set: string) {
  const samples = yield* Effect.forEach(runs, (one) => samplesOf(one, set))
  return runs.map((one, i) => ({
    run: one.root,
    seed: one.result.seed,
    ...questionSummary(samples[i] ?? []),
    ...(i === 0 ? {} : { difference: questionDifference(samples[0] ?? [], samples[i] ?? []) })
  }))
})

const percent = (value: number | null): string => (value === null ? "-" : `${(100 * value).toFixed(1)} %`)

/** Prints paired differences with intervals, and by question; writes a page where one is asked for. */
export const compare = Effect.fn("gradus.compare")(function* (options: CompareOptions) {
  const path = yield* Path.Path
  const runs = yield* Effect.forEach(options.runs, readOne)
  const sets = new Set(runs.flatMap(({ result }) => result.curve.map(({ set }) => set)))
  if (!sets.has(options.metric))
    return yield* new UsageError({ reason: `no run read the set ${options.metric}; there are ${[...sets].join(", ")}` })
  const names = namesOf(runs)
  const arms = [...names.values()]
  const record: SweepRecord = {
    name: "compare",
    arms,
    baseline: arms[0] ?? "",
    metric: { set: options.metric },
    resamples: RESAMPLES,
    planned: runs.length,
    failed: 0,
    stopped: 0,
    cells: runs.map((one) => ({ arm: names.get(armOf(one)) ?? "", result: one.result }))
  }
  const questions = yield* questionwise(runs, options.metric)
  const page = options.html === undefined ? undefined : path.resolve(options.html)
  const comparison =
    page === undefined
      ? compareArms(record)
      : yield* writeReport(record, {
          report: path.join(page, "report.html"),
          figures: path.join(page, "figures"),
          summary: path.join(page, "summary.json")
        })
  if (options.json) return yield* printJson({ ...comparison, questions, ...(page === undefined ? {} : { html: page }) })
  for (const line of comparisonLines(comparison)) yield* print(line)
  yield* print(`by question, ${options.metric} after the last step:`)
  for (const one of questions) {
    const own = `${percent(one.mean)} ± ${percent(one.standardError)} (${one.questions} questions, ${one.samples} samples)`
    const { difference } = one
    const against =
      difference?.mean === undefined || difference.mean === null
        ? ""
        : `, ${(100 * difference.mean).toFixed(1)} points to the first${
            difference.interval === null
              ? ""
              : ` [${(100 * difference.interval.low).toFixed(1)}, ${(100 * difference.interval.high).toFixed(1)}]`
          }`
    yield* print(`  ${path.basename(one.run)}: ${own}${against}`)
  }
  if (page !== undefined) yield* print(path.join(page, "report.html"))
})
