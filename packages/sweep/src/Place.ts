/** Where a sweep lies among the runs. Cells are runs beside all others, named by their identity, so that sweeps share them. */
import * as Path from "effect/Path"
import * as Effect from "effect/Effect"
import { shortId } from "./Cell.ts"

export interface SweepPlace {
  readonly runs: string
  readonly root: string
  readonly plan: string
  /** What the comparison is about. */
  readonly card: string
  readonly halving: string
  readonly report: string
  readonly figures: string
  readonly summary: string
  /** Summaries of finished cells. */
  readonly results: string
  readonly result: (cell: string) => string
  /** The cell's run directory. */
  readonly cell: (cell: string) => string
  /** What was tried with the cell. */
  readonly attempts: (cell: string) => string
  /** Held by the worker that has the cell. */
  readonly claim: (cell: string) => string
  /** A stage that cells share: its lease, and the mark that it is made. */
  readonly shared: (digest: string) => string
  /** State of a worker's trainer. */
  readonly trainer: (slot: string) => string
  /** Runs that `verify` makes anew. */
  readonly scratch: string
}

/** Lays out a sweep. `results`: an absolute directory, where the sweep names one. */
export const sweepPlace = Effect.fnUntraced(function* (runs: string, name: string, results: string | undefined) {
  const path = yield* Path.Path
  const root = path.join(runs, "sweeps", name)
  const own = results ?? path.join(root, "results")
  const cell = (id: string): string => path.join(runs, `cell--${shortId(id)}`)
  const place: SweepPlace = {
    runs,
    root,
    plan: path.join(root, "plan.json"),
    card: path.join(root, "sweep.json"),
    halving: path.join(root, "halving.json"),
    report: path.join(root, "report.html"),
    figures: path.join(root, "figures"),
    summary: path.join(root, "summary.json"),
    results: own,
    result: (id) => path.join(own, `${shortId(id)}.json`),
    cell,
    attempts: (id) => path.join(cell(id), "attempts.ndjson"),
    claim: (id) => path.join(cell(id), "claim"),
    shared: (digest) => path.join(runs, ".artifacts", "shared", digest),
    trainer: (slot) => path.join(runs, ".trainers", slot),
    scratch: path.join(root, "verify")
  }
  return place
})
