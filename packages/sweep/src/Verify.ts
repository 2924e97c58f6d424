/** Checks a sweep against its files: everything is hashed again, and of a sampled cell the deterministic stages are run again. */
import { filter } from "@gradus/curriculum/Filter"
import { needsOutcomes } from "@gradus/curriculum/Batchers"
import { plan as planBatches, planDigest } from "@gradus/curriculum/Plan"
import { decodeRows } from "@gradus/datasets/Parquet"
import type { CellResult } from "@gradus/domain/CellResult"
import { ofJson } from "@gradus/domain/Digest"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import { ProfileRow } from "@gradus/domain/Profile"
import * as Seed from "@gradus/domain/Seed"
import { exists, readFile, readJson } from "@gradus/experiment/AtomicFile"
import { readJournal } from "@gradus/experiment/Journal"
import { ResolvedFile } from "@gradus/experiment/ReadRun"
import { type Origin, run } from "@gradus/experiment/Run"
import { layout } from "@gradus/experiment/RunDirectory"
import { readUpdate } from "@gradus/experiment/StoredUpdate"
import { identity } from "@gradus/manifest/Resolve"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { Cell, PlanFile } from "./Cell.ts"
import type { MakeEngines } from "./Engines.ts"
import type { SweepPlace } from "./Place.ts"
import type { PlannedSweep } from "./Plan.ts"
import { resultOf, storedResult } from "./Result.ts"

/** Something that is not as it was when the cell finished. */
export interface Change {
  readonly cell: string
  readonly what: string
  readonly expected: string
  readonly found: string
}

export interface Verified {
  /** Cells whose files were hashed again; cells of which only the summary is here count in `summaries`. */
  readonly checked: number
  readonly summaries: number
  readonly changed: ReadonlyArray<Change>
  /** The cell whose stages were run again, and which of them; stages that are not bitwise are left out. */
  readonly rerun: { readonly cell: string; readonly stages: ReadonlyArray<string> } | null
}

export interface VerifyOptions<E> {
  readonly planned: PlannedSweep
  readonly plan: PlanFile
  readonly place: SweepPlace
  readonly origin: Origin
  readonly engines: MakeEngines<E>
  /** Whether a sampled cell is run again. */
  readonly rerun: boolean
}

/** The parts of a summary that equal inputs make equal. */
const comparable = (result: CellResult): Readonly<Record<string, string>> => ({
  manifest: result.manifest_digest,
  dataset: result.dataset_digest,
  start: result.start,
  plan: result.digest.plan,
  metrics: result.digest.metrics,
  weights: result.digest.weights,
  curve: ofJson(result.curve)
})

const changes = (
  cell: string,
  expected: Readonly<Record<string, string>>,
  found: Readonly<Record<string, string>>
): ReadonlyArray<Change> =>
  Object.entries(expected).flatMap(([what, value]) =>
    found[what] === undefined || found[what] === value ? [] : [{ cell, what, expected: value, found: found[what] }]
  )

const unreadable = (cell: string, what: string, error: { readonly message: string }): Change => ({
  cell,
  what,
  expected: "readable",
  found: error.message
})

/** Hashes a run's update files again. */
const updates = Effect.fnUntraced(function* (root: string, cell: string) {
  const directory = yield* layout(root)
  const { events } = yield* readJournal(directory.journal)
  const changed: Array<Change> = []
  for (const event of events) {
    if (event._tag !== "step_generated") continue
    for (const [index, { digest, update }] of event.updates.entries())
      yield* readUpdate(directory.update(event.step, index), digest).pipe(
        Effect.catch((error) => Effect.sync(() => changed.push(unreadable(cell, `update ${update}`, error))))
      )
  }
  return changed
})

/** Makes the filter and the plan again from the stored profile: both are pure. */
const planAgain = Effect.fnUntraced(function* (root: string, manifest: Manifest) {
  const directory = yield* layout(root)
  if (needsOutcomes(manifest.curriculum)) return undefined
  const profile = yield* decodeRows(ProfileRow, yield* readFile(directory.profile))
  const made = planBatches({
    pool: filter(profile, manifest.filter).kept,
    spec: manifest.curriculum,
    promptsPerStep: manifest.train.prompts_per_step,
    steps: manifest.train.steps,
    seed: Seed.child(Seed.root(manifest.seed), "plan")
  })
  const { events } = yield* readJournal(directory.journal)
  const stored = events.find((event) => event._tag === "stage_finished" && event.stage === "plan")
  return { found: planDigest(made.batches), expected: stored?._tag === "stage_finished" ? stored.input_digest : "" }
})

const checkRun = Effect.fnUntraced(function* (place: SweepPlace, cell: Cell, manifest: Manifest, result: CellResult) {
  const root = place.cell(cell.id)
  const again = yield* resultOf(root, cell.id).pipe(
    Effect.map((found) => changes(cell.id, comparable(result), comparable(found))),
    Effect.catch((error) => Effect.succeed([unreadable(cell.id, "run", error)]))
  )
  const stored = yield* readJson(ResolvedFile, (yield* layout(root)).resolved)
  const own = changes(
    cell.id,
    { manifest: identity(manifest), dataset: cell.dataset_digest },
    { manifest: identity(stored.manifest), dataset: result.dataset_digest }
  )
  const made = yield* planAgain(root, manifest)
  const plan =
    made === undefined ? [] : changes(cell.id, { "filter and plan": made.expected }, { "filter and plan": made.found })
  return [...again, ...own, ...plan, ...(yield* updates(root, cell.id))]
})

/** Runs a cell again from nothing, in a directory where no artifact is found, with a trainer that knows nothing. */
const runAgain = Effect.fnUntraced(function* <E>(options: VerifyOptions<E>, cell: Cell, result: CellResult) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { origin, place, planned } = options
  yield* Effect.ignore(fs.remove(place.scratch, { recursive: true }))
  const manifest = planned.manifestOf(cell)
  const root = path.join(place.scratch, path.basename(place.cell(cell.id)))
  const engines = yield* options.engines(path.join(place.scratch, ".trainer"), 0)
  const input = {
    resolved: { manifest, digest: identity(manifest), provenance: [] },
    written: planned.written,
    base: planned.base,
    root,
    origin,
    report: false
  }
  yield* run(input, engines.layer(manifest, root))
  const found = comparable(yield* resultOf(root, cell.id))
  yield* Effect.ignore(fs.remove(place.scratch, { recursive: true }))
  return changes(cell.id, comparable(result), found).map((one) => ({ ...one, what: `${one.what}, run again` }))
}, Effect.scoped)

/** Whether every stage promises equal bytes on this machine. */
const isBitwise = ({ stages }: CellResult): boolean => Object.values(stages).every((one) => one === "bitwise")

/** Verifies a sweep. Changes nothing but its scratch directory. */
export const verify = Effect.fn("Sweep.verify")(function* <E>(options: VerifyOptions<E>) {
  const { place, plan, planned } = options
  const changed: Array<Change> = []
  const candidates: Array<{ readonly cell: Cell; readonly result: CellResult }> = []
  let checked = 0
  let summaries = 0
  for (const cell of plan.cells) {
    const result = yield* storedResult(place.result(cell.id), cell.id)
    if (result === undefined) continue
    if (!(yield* exists((yield* layout(place.cell(cell.id))).journal))) {
      summaries += 1
      changed.push(...changes(cell.id, { dataset: cell.dataset_digest }, { dataset: result.dataset_digest }))
      continue
    }
    checked += 1
    changed.push(...(yield* checkRun(place, cell, planned.manifestOf(cell), result)))
    candidates.push({ cell, result })
  }
  const bitwise = candidates.filter(({ result }) => isBitwise(result))
  const sample = Seed.stream(Seed.child(Seed.root(0), "verify", plan.digest))
  const chosen = bitwise[bitwise.length === 0 ? 0 : sample.below(bitwise.length)]
  if (!options.rerun || chosen === undefined) return { checked, summaries, changed, rerun: null } satisfies Verified
  changed.push(...(yield* runAgain(options, chosen.cell, chosen.result)))
  const rerun = { cell: chosen.cell.id, stages: Object.keys(chosen.result.stages) }
  return { checked, summaries, changed, rerun } satisfies Verified
})
