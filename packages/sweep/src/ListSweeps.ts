/** Lists the sweeps below a directory of runs, and gives one of them, for viewers. Reads files only: no lease is taken, so a cell that is begun is not told from one whose worker was killed. */
import { Lineage } from "@gradus/domain/Lineage"
import {
  SWEEP_NAME,
  type SweepCellEntry,
  type SweepCellState,
  type SweepEntry,
  type SweepIndex,
  type SweepView
} from "@gradus/domain/SweepIndex"
import { exists, readJson } from "@gradus/experiment/AtomicFile"
import { layout } from "@gradus/experiment/RunDirectory"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { readAttempts } from "./Attempts.ts"
import { cardOf } from "./Card.ts"
import type { Cell, PlanFile } from "./Cell.ts"
import { endedArms } from "./Ended.ts"
import { type SweepPlace, sweepPlace } from "./Place.ts"
import { storedResult } from "./Result.ts"
import { storedPlan } from "./Stored.ts"

const AFTER = {
  started: "begun",
  finished: "begun",
  failed: "failed",
  cancelled: "cancelled",
  paused: "paused"
} as const

const cellEntry = Effect.fnUntraced(function* (place: SweepPlace, cell: Cell, ended: ReadonlySet<string>) {
  const path = yield* Path.Path
  const result = yield* storedResult(place.result(cell.id), cell.id)
  const events = yield* readAttempts(place.attempts(cell.id))
  const last = events.at(-1)
  const open: SweepCellState = ended.has(cell.arm) ? "stopped" : last === undefined ? "waiting" : AFTER[last._tag]
  const { lineage, resolved } = yield* layout(place.cell(cell.id))
  const device = (yield* exists(lineage)) ? (yield* readJson(Lineage, lineage)).trainer.device : undefined
  const entry: SweepCellEntry = {
    arm: cell.arm,
    seed: cell.seed,
    state: result === undefined ? open : "finished",
    run: (yield* exists(resolved)) ? path.basename(place.cell(cell.id)) : null,
    attempts: events.filter(({ _tag }) => _tag === "started").length,
    message: last?._tag === "failed" && result === undefined ? `${last.error}: ${last.message}` : null,
    result: result ?? null
  }
  return { entry, simulated: device === "simulated" }
})

const viewOf = Effect.fnUntraced(function* (bare: SweepPlace, plan: PlanFile, sweep: string) {
  const path = yield* Path.Path
  const card = yield* cardOf(bare, plan)
  const place = yield* sweepPlace(bare.runs, sweep, path.resolve(bare.root, card.results))
  const ended = yield* endedArms(place, plan)
  const cells = yield* Effect.forEach(plan.cells, (cell) => cellEntry(place, cell, ended), { concurrency: 8 })
  const view: SweepView = {
    ...card,
    sweep,
    digest: plan.digest,
    simulated: cells.some(({ simulated }) => simulated),
    cells: cells.map(({ entry }) => entry)
  }
  return view
})

/** Reads one sweep; none where there is no plan of it, or one that cannot be read. */
export const sweepView = Effect.fn("ListSweeps.view")(function* (runs: string, sweep: string) {
  if (!SWEEP_NAME.test(sweep)) return Option.none<SweepView>()
  const place = yield* sweepPlace(runs, sweep, undefined)
  return yield* storedPlan(place).pipe(
    Effect.flatMap((plan) =>
      plan === undefined ? Effect.succeed(Option.none<SweepView>()) : Effect.asSome(viewOf(place, plan, sweep))
    ),
    Effect.orElseSucceed(() => Option.none<SweepView>())
  )
})

const entryOf = ({ cells, description, sweep }: SweepView): SweepEntry => {
  const states: Partial<Record<SweepCellState, number>> = {}
  for (const { state } of cells) states[state] = (states[state] ?? 0) + 1
  return {
    sweep,
    description,
    arms: new Set(cells.map(({ arm }) => arm)).size,
    seeds: new Set(cells.map(({ seed }) => seed)).size,
    cells: states,
    planned: cells.length
  }
}

/** Lists the sweeps by name. A sweep that cannot be read is left out. */
export const listSweeps = Effect.fn("ListSweeps.sweeps")(function* (runs: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* fs.readDirectory(path.join(runs, "sweeps")).pipe(Effect.orElseSucceed(() => []))
  const views = yield* Effect.forEach(names.toSorted(), (name) => sweepView(runs, name))
  const index: SweepIndex = { format: 1, sweeps: views.flatMap((view) => Option.toArray(view)).map(entryOf) }
  return index
})
