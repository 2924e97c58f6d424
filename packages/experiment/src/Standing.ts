/** How a run stands, read from its files while another process writes them: nothing is taken, locked or written. */
import { decodePlan } from "@gradus/datasets/PlanTable"
import type { JournalEvent } from "@gradus/domain/Journal"
import { Lineage } from "@gradus/domain/Lineage"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import { type MetricsRow, type Stage, TimingsRow } from "@gradus/domain/Metrics"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { exists, readFile, readJson } from "./AtomicFile.ts"
import { readJournal } from "./Journal.ts"
import { lines, readings, ResolvedFile } from "./ReadRun.ts"
import { layout, type RunDirectory } from "./RunDirectory.ts"

export interface StageStanding {
  readonly stage: Stage
  readonly state: "done" | "reused" | "now" | "waiting"
}

export interface SetStanding {
  readonly set: string
  readonly first: number | null
  readonly last: number | null
  /** Step after which `last` was read. */
  readonly step: number
}

export interface Standing {
  readonly run: string
  readonly seed: number
  readonly batcher: string
  readonly simulated: boolean
  readonly finished: boolean
  readonly attempt: number
  readonly stages: ReadonlyArray<StageStanding>
  /** Finished steps, and all of them where that is known. */
  readonly step: number
  readonly steps: number | null
  /** Mean seconds of the last steps; null before the first. */
  readonly secondsPerStep: number | null
  /** Their seconds by phase. */
  readonly phases: Readonly<Record<string, number>>
  /** Of every step that is generated. */
  readonly reward: ReadonlyArray<number | null>
  /** The last step's metrics. */
  readonly metrics: MetricsRow["metrics"]
  readonly accuracy: ReadonlyArray<SetStanding>
  /** When the journal was last written, ms since 1970; null where the file system does not say. */
  readonly changed: number | null
}

/** So many steps say how fast it goes now. */
const LATELY = 20

const stagesOf = (manifest: Manifest, events: ReadonlyArray<JournalEvent>): ReadonlyArray<StageStanding> => {
  const warm = manifest.warmup !== undefined && manifest.warmup.steps > 0
  const order: ReadonlyArray<Stage> = [
    ...(warm ? (["warmup"] as const) : []),
    "profile",
    "filter",
    "plan",
    "evaluate_first",
    "train",
    "evaluate_last",
    "report"
  ]
  const done = new Map(
    events.flatMap((event) => (event._tag === "stage_finished" ? [[event.stage, event.reused]] : []))
  )
  const over = events.some((event) => event._tag === "run_finished")
  if (over) done.set("report", false)
  const begun = events.length > 0 && !over
  const now = begun ? order.find((stage) => !done.has(stage)) : undefined
  return order.map((stage) => {
    const reused = done.get(stage)
    return { stage, state: reused === undefined ? (stage === now ? "now" : "waiting") : reused ? "reused" : "done" }
  })
}

const meanOf = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** The last steps' seconds. A step that was done again after a cut counts with its last attempt. */
const paceOf = (timings: ReadonlyArray<TimingsRow>): Pick<Standing, "secondsPerStep" | "phases"> => {
  const bySteps = new Map(timings.filter(({ stage }) => stage === "train").map((row) => [row.step, row.seconds]))
  const lately = [...bySteps].toSorted(([a], [b]) => a - b).slice(-LATELY)
  const whole = lately.flatMap(([, { step }]) => step ?? [])
  if (whole.length === 0) return { secondsPerStep: null, phases: {} }
  const names = new Set(lately.flatMap(([, seconds]) => Object.keys(seconds)).filter((name) => name !== "step"))
  const mean = (name: string): number => meanOf(lately.map(([, seconds]) => seconds[name] ?? 0))
  return { secondsPerStep: meanOf(whole), phases: Object.fromEntries([...names].map((name) => [name, mean(name)])) }
}

const accuracyOf = Effect.fnUntraced(function* (directory: RunDirectory) {
  const bySet = new Map<string, SetStanding>()
  for (const { accuracy, set, step } of (yield* readings(directory)).toSorted((a, b) => a.step - b.step)) {
    const first = bySet.get(set)?.first
    bySet.set(set, { set, first: first === undefined ? accuracy : first, last: accuracy, step })
  }
  return [...bySet.values()]
})

const plannedSteps = Effect.fnUntraced(function* (directory: RunDirectory, manifest: Manifest) {
  // a small pool ends before the manifest's steps do
  const plan = (yield* exists(directory.plan)) ? yield* decodePlan(yield* readFile(directory.plan), directory.plan) : []
  return plan.length > 0 ? plan.length : (manifest.train.steps ?? null)
})

const isSimulated = Effect.fnUntraced(function* (directory: RunDirectory) {
  if (!(yield* exists(directory.lineage))) return false
  return (yield* readJson(Lineage, directory.lineage)).trainer.device === "simulated"
})

/** Reads how a run stands. Fails where the directory holds no run, or one whose files cannot be read. */
export const standing = Effect.fn("Standing.read")(function* (root: string) {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* layout(root)
  const { manifest } = yield* readJson(ResolvedFile, directory.resolved)
  const { events } = yield* readJournal(directory.journal)
  const generated = events.flatMap((event) => (event._tag === "step_generated" ? [event] : []))
  const finished = events.some((event) => event._tag === "run_finished")
  const step = events.filter((event) => event._tag === "step_finished").length
  const planned = yield* plannedSteps(directory, manifest)
  const changed = yield* Effect.option(fs.stat(directory.journal))
  const standing: Standing = {
    run: directory.run,
    seed: manifest.seed,
    batcher: manifest.curriculum.batcher,
    simulated: yield* isSimulated(directory),
    finished,
    attempt: Math.max(1, ...events.flatMap((event) => (event._tag === "run_started" ? [event.attempt] : []))),
    stages: stagesOf(manifest, events),
    step,
    steps: finished ? step : planned === null ? null : Math.max(planned, step),
    ...paceOf(yield* lines(TimingsRow, directory.timings)),
    reward: generated.map(({ metrics }) => metrics["reward"] ?? null),
    metrics: generated.at(-1)?.metrics ?? {},
    accuracy: yield* accuracyOf(directory),
    changed: Option.getOrNull(Option.flatMap(changed, (info) => Option.map(info.mtime, (time) => time.getTime())))
  }
  return standing
})
