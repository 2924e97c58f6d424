/** Checks a sweep against its files: everything that is here is hashed or computed again, and one cell of those whose stages are all bitwise is run again. */
import type { CellResult } from "@gradus/domain/CellResult"
import * as Seed from "@gradus/domain/Seed"
import { type Origin, run } from "@gradus/experiment/Run"
import { identity } from "@gradus/manifest/Resolve"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { Cell, PlanFile } from "./Cell.ts"
import { type Change, changes, guarded } from "./Change.ts"
import { checkCell } from "./CheckCell.ts"
import { comparable } from "./CheckRun.ts"
import type { MakeEngines } from "./Engines.ts"
import type { SweepPlace } from "./Place.ts"
import type { PlannedSweep } from "./Plan.ts"
import { resultOf } from "./Result.ts"

export interface Verified {
  /** Cells whose run is here, all of whose files were checked. */
  readonly checked: number
  /** Cells of which only the summary is here: it was compared with the plan and with itself. */
  readonly summaries: number
  /** Cells that nobody has finished, here or elsewhere. */
  readonly missing: number
  readonly changed: ReadonlyArray<Change>
  /** The cell that was run again, and its stages: all of them, and all of them bitwise. A cell with one stage that is not is never chosen. */
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

/** Whether every stage promises equal bytes on this machine. One that does not leaves its successors other inputs, so the cell is then not run again at all. */
const isBitwise = ({ stages }: CellResult): boolean => Object.values(stages).every((one) => one === "bitwise")

/** Verifies a sweep. Changes nothing but its scratch directory. */
export const verify = Effect.fn("Sweep.verify")(function* <E>(options: VerifyOptions<E>) {
  const { place, plan, planned } = options
  const counts = { checked: 0, summaries: 0, missing: 0 }
  const changed: Array<Change> = []
  const bitwise: Array<{ readonly cell: Cell; readonly result: CellResult }> = []
  const known = new Map<string, string>()
  for (const cell of plan.cells) {
    const { changed: own, found, result } = yield* checkCell(place, cell, planned.manifestOf(cell), known)
    counts[found] += 1
    changed.push(...own)
    if (found === "checked" && result !== undefined && isBitwise(result)) bitwise.push({ cell, result })
  }
  const sample = Seed.stream(Seed.child(Seed.root(0), "verify", plan.digest))
  const chosen = bitwise[bitwise.length === 0 ? 0 : sample.below(bitwise.length)]
  if (!options.rerun || chosen === undefined) return { ...counts, changed, rerun: null } satisfies Verified
  const { cell, result } = chosen
  changed.push(...(yield* guarded(cell.id, "run again", runAgain(options, cell, result))))
  return { ...counts, changed, rerun: { cell: cell.id, stages: Object.keys(result.stages) } } satisfies Verified
})
