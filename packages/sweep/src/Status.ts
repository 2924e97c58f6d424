/** How a sweep stands, from its files and leases alone: any number of workers may be at it. */
import * as Effect from "effect/Effect"
import { readAttempts } from "./Attempts.ts"
import type { Cell, PlanFile } from "./Cell.ts"
import { claim } from "./Claim.ts"
import type { SweepPlace } from "./Place.ts"
import { storedResult } from "./Result.ts"

/** `lost`: its worker was killed; whoever comes next goes on with it. */
export type CellState = "finished" | "running" | "failed" | "cancelled" | "lost" | "paused" | "waiting"

export interface CellStatus {
  readonly cell: Cell
  readonly state: CellState
  readonly attempts: number
  /** What the last attempt failed with. */
  readonly message: string | undefined
}

const STATE = { failed: "failed", cancelled: "cancelled", paused: "paused", started: "lost", finished: "lost" } as const

/** Says whether somebody has the cell, by trying to take its claim for a moment. */
const isHeld = Effect.fnUntraced(function* (place: SweepPlace, cell: Cell) {
  return !(yield* Effect.scoped(claim(place.claim(cell.id))))
})

/** Reads the state of one cell. */
export const cellStatus = Effect.fn("Sweep.cellStatus")(function* (place: SweepPlace, cell: Cell) {
  const events = yield* readAttempts(place.attempts(cell.id))
  const last = events.at(-1)
  const attempts = events.filter(({ _tag }) => _tag === "started").length
  const message = last?._tag === "failed" ? last.message : undefined
  const finished = (yield* storedResult(place.result(cell.id), cell.id)) !== undefined
  const state: CellState = finished
    ? "finished"
    : last === undefined
      ? "waiting"
      : last._tag === "started" && (yield* isHeld(place, cell))
        ? "running"
        : STATE[last._tag]
  return { cell, state, attempts, message } satisfies CellStatus
})

/** Reads the state of every cell of a plan, in its order. */
export const status = (place: SweepPlace, plan: PlanFile) =>
  Effect.forEach(plan.cells, (cell) => cellStatus(place, cell))
