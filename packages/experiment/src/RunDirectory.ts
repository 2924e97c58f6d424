/** Where things lie in a run directory (an interface: notebooks and other programs read it). */
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"

export interface RunDirectory {
  readonly root: string
  /** `<name>--<digest>`, the last part of `root`. */
  readonly run: string
  /** Stage outputs that runs share, by digest. */
  readonly artifacts: string
  readonly manifest: string
  readonly resolved: string
  readonly lineage: string
  readonly journal: string
  readonly metrics: string
  readonly timings: string
  readonly plan: string
  readonly profile: string
  readonly filter: string
  /** What happened to each question, a row each time that it was drawn. */
  readonly history: string
  readonly report: string
  readonly figures: string
  readonly logs: string
  /** State of the embedded trainer: ledger, log of updates, checkpoints. */
  readonly trainer: string
  readonly profileChunk: (chunk: number) => string
  /** The profile of what was left after a step, and its chunks. */
  readonly refreshProfile: (step: number) => string
  readonly refreshChunk: (step: number, chunk: number) => string
  readonly rollouts: (step: number) => string
  readonly update: (step: number, index: number) => string
  /** What the judge said, beside the completions of a file: `<name>.parquet` has `<name>.verdicts.parquet`. */
  readonly verdicts: (rollouts: string) => string
  /** Completions and reading of an evaluation set after a step. */
  readonly evaluation: (set: string, step: number) => { readonly rollouts: string; readonly reading: string }
}

const six = (n: number): string => String(n).padStart(6, "0")

/** Lays out a run directory. */
export const layout = Effect.fn("RunDirectory.layout")(function* (root: string) {
  const path = yield* Path.Path
  const at = (...parts: ReadonlyArray<string>): string => path.join(root, ...parts)
  return {
    root,
    run: path.basename(root),
    artifacts: path.join(path.dirname(root), ".artifacts"),
    manifest: at("manifest.yaml"),
    resolved: at("resolved.json"),
    lineage: at("lineage.json"),
    journal: at("events.ndjson"),
    metrics: at("metrics.ndjson"),
    timings: at("timings.ndjson"),
    plan: at("plan.parquet"),
    profile: at("profile.parquet"),
    filter: at("filter.parquet"),
    history: at("history.parquet"),
    report: at("report.html"),
    figures: at("figures"),
    logs: at("logs"),
    trainer: at("trainer"),
    profileChunk: (chunk) => at("profile", `chunk_${six(chunk)}.parquet`),
    refreshProfile: (step) => at("refresh", six(step), "profile.parquet"),
    refreshChunk: (step, chunk) => at("refresh", six(step), `chunk_${six(chunk)}.parquet`),
    rollouts: (step) => at("steps", six(step), "rollouts.parquet"),
    verdicts: (file) => file.replace(/\.parquet$/, ".verdicts.parquet"),
    update: (step, index) => at("steps", six(step), `update_${index}.arrow`),
    evaluation: (set, step) => ({
      rollouts: at("eval", set, `${six(step)}.parquet`),
      reading: at("eval", set, `${six(step)}.json`)
    })
  } satisfies RunDirectory
})
