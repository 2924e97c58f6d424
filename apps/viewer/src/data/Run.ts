/** A run as its pages need it: the record that charts are drawn from, without the completions, which are read when they are looked at. */
import { JournalEvent } from "@gradus/domain/Journal"
import { Lineage } from "@gradus/domain/Lineage"
import { Manifest } from "@gradus/domain/manifest/Manifest"
import { MetricsRow, TimingsRow } from "@gradus/domain/Metrics"
import { ProfileRow } from "@gradus/domain/Profile"
import { HistoryRow } from "@gradus/domain/QuestionHistory"
import { EvaluationFile, type RunRecord } from "@gradus/domain/RunRecord"
import { decodePlan } from "@gradus/datasets/PlanTable"
import { batchesOf, isOpen } from "@gradus/experiment/Served"
import * as Schema from "effect/Schema"
import * as Files from "./Files.ts"

const Resolved = Schema.Struct({ manifest: Schema.toType(Manifest) })

export interface LoadedRun {
  readonly run: string
  readonly files: ReadonlyMap<string, number>
  readonly written: Files.ListedFiles["written"]
  readonly record: RunRecord
}

const STEP = /^steps\/(\d{6})\/rollouts\.parquet$/

/** Lists the steps whose completions are on disk. */
export const stepsOf = (files: ReadonlyMap<string, number>): ReadonlyArray<number> =>
  [...files.keys()].flatMap((path) => {
    const step = STEP.exec(path)?.[1]
    return step === undefined ? [] : [Number(step)]
  })

/** Where a step's files lie. */
export const stepFile = (step: number, name: string): string => `steps/${String(step).padStart(6, "0")}/${name}`

interface Journal {
  readonly finished: boolean
  /** What says which batches were asked; empty where the plan says them all. */
  readonly served: ReadonlyArray<JournalEvent>
}
const NOTHING: Journal = { finished: false, served: [] }

/** Of most journals only the names of the transitions are needed. */
const Named = Schema.Struct({ _tag: Schema.String })

const journalOf = async (manifest: Manifest, path: string): Promise<Journal> => {
  const served = isOpen(manifest) ? await Files.lines(JournalEvent, path) : []
  const named = served.length > 0 ? served : await Files.lines(Named, path)
  return { finished: named.some(({ _tag }) => _tag === "run_finished"), served }
}

/** Reads a run. Files that are not there yet are empty: a run may be looked at while it goes on. */
export const loadRun = async (run: string): Promise<LoadedRun> => {
  const { files, written } = await Files.runFiles(run)
  const at = (path: string): string => `runs/${run}/${path}`
  const optional = <A>(path: string, read: (path: string) => Promise<A>, otherwise: A): Promise<A> =>
    files.has(path) ? read(at(path)) : Promise.resolve(otherwise)
  const readings = [...files.keys()].filter((path) => /^eval\/.+\.json$/.test(path))
  const none: ReadonlyArray<never> = []
  const manifest = Files.json(Resolved, at("resolved.json")).then((resolved) => resolved.manifest)
  const [own, lineage, metrics, timings, plan, profile, history, evaluation, journal] = await Promise.all([
    manifest,
    Files.json(Lineage, at("lineage.json")),
    optional("metrics.ndjson", (path) => Files.lines(MetricsRow, path), none),
    optional("timings.ndjson", (path) => Files.lines(TimingsRow, path), none),
    optional("plan.parquet", (path) => Files.read(path, decodePlan), none),
    optional("profile.parquet", (path) => Files.table(ProfileRow, path), none),
    optional("history.parquet", (path) => Files.table(HistoryRow, path), none),
    Promise.all(readings.map(async (path) => (await Files.json(EvaluationFile, at(path))).reading)),
    manifest.then((of) => optional("events.ndjson", (path) => journalOf(of, path), NOTHING))
  ])
  const record: RunRecord = {
    run,
    manifest: own,
    lineage,
    metrics,
    timings,
    plan: batchesOf(own, journal.served, plan),
    profile,
    evaluation,
    examples: [],
    history,
    finished: journal.finished
  }
  return { run, files, written, record }
}
