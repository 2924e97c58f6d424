/** `gradus sweep plan | run | status | verify | extend | report | slurm`. */
import type { PlanFile } from "@gradus/sweep/Cell"
import type { MakeEngines } from "@gradus/sweep/Engines"
import { type SweepPlace, sweepPlace } from "@gradus/sweep/Place"
import { type PlannedSweep, planSweep } from "@gradus/sweep/Plan"
import type { CellState } from "@gradus/sweep/Status"
import { extendPlan, keepPlan } from "@gradus/sweep/Stored"
import type { Verified } from "@gradus/sweep/Verify"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { existsSync } from "node:fs"
import { hostname } from "node:os"
import { type EngineError, Engines, PythonMissing, type StorePlace } from "../Engines.ts"
import { origin } from "../Origin.ts"
import { print, printJson, say } from "../Output.ts"
import { projectRoot } from "../ProjectRoot.ts"
import { redisAddress } from "../StoreAddress.ts"
import * as TerminalProgress from "../TerminalProgress.ts"
import { UsageError } from "../UsageError.ts"

export interface SweepOptions {
  readonly sweep: string
  readonly runs: string
  readonly json: boolean
}

/** Cells of a sweep failed, or are not as they were: the result was printed, this makes the exit code. */
export class SweepIncomplete extends Schema.TaggedError<SweepIncomplete>()("SweepIncomplete", {
  reason: Schema.String
}) {
  override get message(): string {
    return this.reason
  }
}

const opened = Effect.fnUntraced(function* ({ runs, sweep }: SweepOptions) {
  const path = yield* Path.Path
  const planned = yield* planSweep(sweep)
  const { results } = planned.spec
  const own = results === undefined ? undefined : path.resolve(path.dirname(sweep), results)
  return { planned, place: yield* sweepPlace(path.resolve(runs), planned.spec.name, own) }
})

const stored = Effect.fnUntraced(function* (options: SweepOptions) {
  const { place, planned } = yield* opened(options)
  const { kept, plan } = yield* keepPlan(planned, place)
  return { planned, place, plan, kept }
})

const summaryOf = (plan: PlanFile) => ({
  cells: plan.cells.length,
  shared: plan.shared.length,
  digest: plan.digest
})

/** Makes the plan, or finds the one that is stored. */
export const plan = Effect.fn("gradus.sweep.plan")(function* (options: SweepOptions) {
  const { kept, place, plan: made } = yield* stored(options)
  if (options.json) return yield* printJson({ ...summaryOf(made), file: place.plan })
  const arms = [...new Set(made.cells.map(({ arm }) => arm))]
  const seeds = new Set(made.cells.map(({ seed }) => seed)).size
  yield* print(`${made.cells.length} cells: ${arms.length} arms x ${seeds} seeds, ${made.shared.length} shared stages`)
  for (const arm of arms.slice(0, 20)) yield* print(`  ${arm}`)
  if (arms.length > 20) yield* print(`  … and ${arms.length - 20} more`)
  yield* print(`plan ${made.digest}${kept ? ", as it was" : ""}`)
})

/** A worker's trainer, on the GPU that its number falls to. Judges of cells count where the leases are. */
const enginesFor = Effect.fnUntraced(function* (
  place: SweepPlace,
  gpus: ReadonlyArray<string>,
  store: StorePlace | undefined
) {
  const path = yield* Path.Path
  const { cells } = yield* Engines
  const make: MakeEngines<EngineError> = (state, worker) => {
    const gpu = gpus[worker % Math.max(1, gpus.length)]
    const kept = {
      state,
      artifacts: path.join(place.runs, ".artifacts", "policy"),
      logs: path.join(state, "logs"),
      ...(store === undefined ? {} : { judge: { store, account: path.basename(place.root) } })
    }
    return cells(kept, gpu === undefined ? {} : { CUDA_VISIBLE_DEVICES: gpu })
  }
  return make
})

export interface RunSweepOptions extends SweepOptions {
  readonly concurrency: number | undefined
  readonly retryFailed: boolean
  /** Comma-separated CUDA devices: a worker each. */
  readonly gpus: string | undefined
  readonly shard: string | undefined
  /** Address of the Redis that hosts share; undefined: the environment's, or none. */
  readonly redis: string | undefined
  /** Seconds after which a host that is not heard of loses its cells. */
  readonly lease: number
}

const shardFrom = Effect.fnUntraced(function* (text: string | undefined, { spec }: PlannedSweep) {
  if (text === undefined) return undefined
  const { parseShard } = yield* Effect.promise(() => import("@gradus/sweep/Shard"))
  const shard = parseShard(text)
  if (shard === undefined) return yield* new UsageError({ reason: "--shard is written i/n, i from 0 to n - 1" })
  if (spec.early_stop !== undefined)
    return yield* new UsageError({
      reason: "a sweep that ends arms early needs all cells: it cannot be run by --shard"
    })
  return shard
})

/** More workers than GPUs would share one, which nobody asked for. */
const workersOf = Effect.fnUntraced(function* (concurrency: number | undefined, gpus: ReadonlyArray<string>) {
  if (concurrency !== undefined && concurrency < 1)
    return yield* new UsageError({ reason: "--concurrency is at least 1" })
  if (gpus.length > 0 && concurrency !== undefined && concurrency > gpus.length)
    return yield* new UsageError({
      reason: `--concurrency ${concurrency} is more than the ${gpus.length} GPUs of --gpus`
    })
  return concurrency ?? Math.max(1, gpus.length)
})

/** Works on the plan until every cell is finished, failed or ended early, beside whoever else works on it. */
export const run = Effect.fn("gradus.sweep.run")(function* (options: RunSweepOptions) {
  const { place, plan: made, planned } = yield* stored(options)
  const { work } = yield* Effect.promise(() => import("@gradus/sweep/Work"))
  const gpus = (options.gpus ?? "").split(",").filter((gpu) => gpu !== "")
  const { lease, python, store: storeOf } = yield* Engines
  if (!(options.lease >= 1)) return yield* new UsageError({ reason: `--lease ${options.lease}: at least 1 second` })
  const store = yield* redisAddress(options.redis)
  // before any cell is tried: a missing trainer is no cell's failure
  const kinds = new Set(made.cells.map((cell) => planned.manifestOf(cell).trainer.kind))
  if (gpus.length > 0 && kinds.has("torchrun"))
    return yield* new UsageError({ reason: "--gpus gives each worker one GPU, and a torchrun trainer takes several" })
  if ((kinds.has("embedded") || kinds.has("torchrun")) && !existsSync(python))
    return yield* new PythonMissing({ path: python })
  const done = yield* work({
    planned,
    plan: made,
    shard: yield* shardFrom(options.shard, planned),
    place,
    worker: `${hostname()}:${process.pid}`,
    concurrency: yield* workersOf(options.concurrency, gpus),
    retryFailed: options.retryFailed,
    origin: yield* origin(projectRoot),
    engines: yield* enginesFor(place, gpus, store)
  }).pipe(
    Effect.provide([store === undefined ? lease : storeOf(store, options.lease), TerminalProgress.layer]),
    Effect.onInterrupt(() => say("\ninterrupted; the same command goes on from here"))
  )
  if (options.json) yield* printJson({ ...done, digest: made.digest })
  else
    yield* print(
      `${done.ran} cells run, ${done.reused} found finished, ${done.failed} failed, ${done.stopped} ended early`
    )
  if (done.failed > 0)
    return yield* new SweepIncomplete({
      reason: `${done.failed} cells failed: \`gradus sweep status\` says why, \`gradus sweep run --retry-failed\` tries them again`
    })
})

/** Says how every cell stands. */
export const status = Effect.fn("gradus.sweep.status")(function* (options: SweepOptions) {
  const { place, plan: made } = yield* stored(options)
  const { status: read } = yield* Effect.promise(() => import("@gradus/sweep/Status"))
  const { lease } = yield* Engines
  const cells = yield* read(place, made).pipe(Effect.provide(lease))
  const counts: Partial<Record<CellState, number>> = {}
  for (const { state } of cells) counts[state] = (counts[state] ?? 0) + 1
  const open = cells.filter(({ state }) => state !== "finished" && state !== "waiting")
  if (options.json)
    return yield* printJson({
      ...summaryOf(made),
      ...counts,
      open: open.map(({ attempts, cell, message, state }) => ({
        cell: cell.id,
        arm: cell.arm,
        seed: cell.seed,
        state,
        attempts,
        ...(message === undefined ? {} : { message })
      }))
    })
  const states = Object.entries(counts).map(([state, count]) => `${count} ${state}`)
  yield* print(states.join(", "))
  for (const { attempts, cell, message, state } of open)
    yield* print(
      `  ${cell.arm}, seed ${cell.seed}: ${state}, attempts ${attempts}${message === undefined ? "" : `: ${message}`}`
    )
})

const rerunLine = ({ rerun }: Verified, asked: boolean): string => {
  if (rerun !== null) return `run again: ${rerun.cell.slice(0, 16)} (${rerun.stages.join(", ")})`
  return asked ? "no cell was run again: of none are the run here and all stages bitwise" : "no cell was run again"
}

/** Checks all files that are here, and runs a sampled cell again whose stages are all bitwise. */
export const verify = Effect.fn("gradus.sweep.verify")(function* (options: SweepOptions & { readonly rerun: boolean }) {
  const { place, plan: made, planned } = yield* stored(options)
  const { verify: check } = yield* Effect.promise(() => import("@gradus/sweep/Verify"))
  const { lease } = yield* Engines
  const verified = yield* check({
    planned,
    plan: made,
    place,
    origin: yield* origin(projectRoot),
    engines: yield* enginesFor(place, [], undefined),
    rerun: options.rerun
  }).pipe(Effect.provide(lease))
  const { changed, checked, missing, rerun, summaries } = verified
  if (options.json) yield* printJson({ checked, changed: changed.length, summaries, missing, rerun, changes: changed })
  else {
    yield* print(
      `of ${made.cells.length} cells: ${checked} checked with all their files, ${summaries} by their summary alone, ${missing} not finished; ${changed.length} changes`
    )
    for (const { cell, expected, found, what } of changed)
      yield* print(`  ${cell.slice(0, 16)} ${what}: ${expected} became ${found}`)
    yield* print(rerunLine(verified, options.rerun))
  }
  if (changed.length > 0) return yield* new SweepIncomplete({ reason: `${changed.length} things have changed` })
})

/** Makes what was added to the file part of the plan. */
export const extend = Effect.fn("gradus.sweep.extend")(function* (options: SweepOptions) {
  const { place, planned } = yield* opened(options)
  const { added, plan: made } = yield* extendPlan(planned, place)
  if (options.json) return yield* printJson({ ...summaryOf(made), added, extends: made.extends })
  yield* print(`${added} cells added, ${made.cells.length} in all; plan ${made.digest}`)
})

/** Another set's report lies beside that of the sweep's metric. */
const reportPlace = (place: SweepPlace, set: string | undefined) =>
  set === undefined
    ? place
    : {
        report: place.report.replace(/\.html$/, `-${set}.html`),
        figures: `${place.figures}-${set}`,
        summary: place.summary.replace(/\.json$/, `-${set}.json`)
      }

/** Draws the report from the summaries that are there. */
export const report = Effect.fn("gradus.sweep.report")(function* (
  options: SweepOptions & { readonly metric: string | undefined }
) {
  const { place, plan: made, planned } = yield* stored(options)
  const { sweepRecord, writeReport } = yield* Effect.promise(() => import("@gradus/sweep/Report"))
  const { comparisonLines } = yield* Effect.promise(() => import("../ComparisonLines.ts"))
  const record = yield* sweepRecord(planned.spec, made, place)
  const sets = [...new Set(record.cells.flatMap(({ result }) => result.curve.map(({ set }) => set)))]
  const at = reportPlace(place, options.metric)
  const metric = options.metric === undefined ? record.metric : { set: options.metric }
  // the page of a sweep of which nothing is finished says just that
  if (!sets.includes(metric.set) && (options.metric !== undefined || record.cells.length > 0))
    return yield* new UsageError({ reason: `no cell read the set ${metric.set}; there are ${sets.join(", ")}` })
  const comparison = yield* writeReport({ ...record, metric }, at)
  if (options.json) return yield* printJson({ report: at.report, cells: record.cells.length, ...comparison })
  for (const line of comparisonLines(comparison)) yield* print(line)
  yield* print(at.report)
})

export interface SlurmCommandOptions extends SweepOptions {
  readonly tasks: number
  readonly atOnce: number | undefined
  readonly cpus: number
  readonly gpus: number
  readonly time: string
  readonly partition: string | undefined
}

/** Slurm would take the script and fail at it, or do nothing. */
const checkSlurm = Effect.fnUntraced(function* ({ atOnce, cpus, gpus, tasks }: SlurmCommandOptions) {
  const least = [
    ["--tasks", tasks, 1],
    ["--at-once", atOnce ?? 1, 1],
    ["--cpus", cpus, 1],
    ["--gpus", gpus, 0]
  ] as const
  for (const [flag, given, low] of least)
    if (given < low) return yield* new UsageError({ reason: `${flag} ${given}: at least ${low}` })
})

/** Prints an array job for `sbatch`. */
export const slurm = Effect.fn("gradus.sweep.slurm")(function* (options: SlurmCommandOptions) {
  const path = yield* Path.Path
  yield* checkSlurm(options)
  const { place, planned } = yield* stored(options)
  const { slurmScript } = yield* Effect.promise(() => import("@gradus/sweep/Slurm"))
  const { atOnce, cpus, gpus, partition, tasks, time } = options
  const script = slurmScript({
    name: planned.spec.name,
    gradus: path.join(projectRoot, "apps/cli/bin/gradus.mjs"),
    sweep: path.resolve(options.sweep),
    runs: place.runs,
    tasks,
    atOnce,
    cpus,
    gpus,
    time,
    partition
  })
  yield* options.json ? printJson({ script }) : print(script.trimEnd())
})
