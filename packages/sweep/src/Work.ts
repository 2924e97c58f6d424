/** Workers of a sweep: each takes the first cell that nobody has, until none is left. Any number of them, in any order, on any hosts that share the files. */
import { exists, readJson } from "@gradus/experiment/AtomicFile"
import * as Progress from "@gradus/experiment/Progress"
import type { Origin } from "@gradus/experiment/Run"
import { layout } from "@gradus/experiment/RunDirectory"
import { EvaluationFile } from "@gradus/domain/RunRecord"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readAttempts } from "./Attempts.ts"
import type { Cell, PlanFile } from "./Cell.ts"
import { claim } from "./Claim.ts"
import { replaceJson } from "./CommonFile.ts"
import type { MakeEngines } from "./Engines.ts"
import { decide, type HalvingFile, type RungDecision, scoreOf } from "./Halving.ts"
import type { SweepPlace } from "./Place.ts"
import type { PlannedSweep } from "./Plan.ts"
import { baselineOf } from "./Read.ts"
import { storedResult } from "./Result.ts"
import { type Shard, shardOf } from "./Shard.ts"
import { type CellContext, type CellOutcome, runCell } from "./RunCell.ts"

export interface WorkOptions<E> {
  readonly planned: PlannedSweep
  readonly plan: PlanFile
  /** The share of the plan that is this process's; absent: all of it. */
  readonly shard?: Shard | undefined
  readonly place: SweepPlace
  /** Names this process in attempts. */
  readonly worker: string
  /** Cells at once in this process. */
  readonly concurrency: number
  readonly retryFailed: boolean
  readonly origin: Origin
  readonly engines: MakeEngines<E>
}

/** What a process did, in cells. */
export interface WorkDone {
  readonly ran: number
  /** Finished before, or by another worker meanwhile. */
  readonly reused: number
  readonly failed: number
  /** Ended early by the sweep's rule. */
  readonly stopped: number
}

type Settled = Exclude<CellOutcome, "elsewhere" | "blocked">

/** Cells fail one after the other: it is not the cells. What is left waits. */
export class CellsKeepFailing extends Schema.TaggedError<CellsKeepFailing>()("CellsKeepFailing", {
  cells: Schema.Int,
  last: Schema.String
}) {
  override get message(): string {
    return `${this.cells} cells in a row failed, so the others were not begun; the last one: ${this.last}`
  }
}

/** So many failures in a row of one worker end the sweep. */
const MOST_IN_A_ROW = 3

/** How long to wait before looking again at cells that other workers have. */
const POLL = "1 second"

/** More workers than this on one file system are not expected. */
const MOST_SLOTS = 1024

/** Takes the first free place for a trainer's state, so that a worker after a kill finds what its predecessor left. */
const slot = Effect.fnUntraced(function* (place: SweepPlace, shard: Shard | undefined) {
  // machines with shards cannot see each other's claims, so their places differ by name
  const prefix = shard === undefined ? "" : `${shard.index}-of-${shard.of}-`
  for (let n = 0; n < MOST_SLOTS; n++) {
    const directory = place.trainer(`${prefix}${n}`)
    if (yield* claim(directory)) return directory
  }
  return yield* Effect.die(new Error(`all ${MOST_SLOTS} places for trainers are taken`))
})

interface Board {
  readonly cells: ReadonlyArray<Cell>
  readonly until: number | undefined
  readonly settled: Map<string, Settled>
  /** Cells that a fiber of this process has. */
  readonly held: Set<string>
}

const keepFailing = Effect.fnUntraced(function* (place: SweepPlace, cell: Cell) {
  const last = (yield* readAttempts(place.attempts(cell.id))).at(-1)
  const message = last?._tag === "failed" ? `${last.error}: ${last.message}` : "unknown"
  return yield* new CellsKeepFailing({ cells: MOST_IN_A_ROW, last: message })
})

/** Goes through the cells once and works on those that are free. Says whether one was settled. */
const pass = Effect.fnUntraced(function* <E>(options: WorkOptions<E>, context: CellContext<E>, board: Board) {
  let moved = false
  let inARow = 0
  for (const cell of board.cells) {
    if (board.settled.has(cell.id) || board.held.has(cell.id)) continue
    board.held.add(cell.id)
    const task = {
      cell,
      manifest: options.planned.manifestOf(cell),
      until: board.until,
      retry: options.retryFailed
    }
    const outcome = yield* runCell(context, task).pipe(Effect.ensuring(Effect.sync(() => board.held.delete(cell.id))))
    if (outcome === "elsewhere" || outcome === "blocked") continue
    board.settled.set(cell.id, outcome)
    moved = true
    // only what this worker tried itself says something about it
    if (outcome === "failed" || outcome === "finished") inARow = outcome === "failed" ? inARow + 1 : 0
    if (inARow === MOST_IN_A_ROW) return yield* keepFailing(options.place, cell)
    yield* Progress.report({
      stage: "cells",
      done: board.settled.size,
      total: board.cells.length,
      unit: "cells",
      note: `${cell.arm}, seed ${cell.seed}: ${outcome}`
    })
  }
  return moved
})

/** One worker: passes until every cell is settled, by whomever. */
const worker = <E>(options: WorkOptions<E>, board: Board, number: number) =>
  Effect.gen(function* () {
    const state = yield* slot(options.place, options.shard)
    const engines = yield* options.engines(state, number)
    const { base, written } = options.planned
    const { origin, place, worker: name } = options
    const context: CellContext<E> = { place, worker: name, state, base, written, origin, engines }
    while (board.settled.size < board.cells.length)
      if (!(yield* pass(options, context, board))) yield* Effect.sleep(POLL)
  }).pipe(Effect.scoped)

/** Settles cells up to a step, or to their ends. */
const settle = Effect.fnUntraced(function* <E>(
  options: WorkOptions<E>,
  cells: ReadonlyArray<Cell>,
  until: number | undefined
) {
  const board: Board = { cells, until, settled: new Map(), held: new Set() }
  // a plan that is finished starts no engines
  for (const cell of cells)
    if ((yield* storedResult(options.place.result(cell.id), cell.id)) !== undefined)
      board.settled.set(cell.id, "reused")
  const workers = Math.min(options.concurrency, cells.length - board.settled.size)
  yield* Effect.forEach(Array.from({ length: workers }), (_, number) => worker(options, board, number), {
    concurrency: "unbounded",
    discard: true
  })
  return board.settled
})

/** The reading of a cell at a rung: from its summary where it is finished, else from its run. */
const readingAt = Effect.fnUntraced(function* (place: SweepPlace, cell: Cell, set: string, rung: number) {
  const result = yield* storedResult(place.result(cell.id), cell.id)
  const point = result?.curve.find((one) => one.set === set && one.step === rung)
  if (point !== undefined) return point.accuracy
  const file = (yield* layout(place.cell(cell.id))).evaluation(set, rung).reading
  return (yield* exists(file)) ? (yield* readJson(EvaluationFile, file)).reading.accuracy : null
})

const decideRung = Effect.fnUntraced(function* <E>(
  options: WorkOptions<E>,
  cells: ReadonlyArray<Cell>,
  rung: number,
  keep: number
) {
  const { place, planned } = options
  const arms = [...new Set(cells.map(({ arm }) => arm))]
  const scores = yield* Effect.forEach(arms, (arm) =>
    Effect.map(
      Effect.forEach(
        cells.filter((cell) => cell.arm === arm),
        (cell) => readingAt(place, cell, planned.spec.metric.set, rung)
      ),
      (readings) => scoreOf(arm, readings)
    )
  )
  return decide(rung, scores, keep, baselineOf(planned))
})

/** Works on a plan until every cell is finished, failed, or ended early. */
export const work = Effect.fn("Sweep.work")(function* <E>(options: WorkOptions<E>) {
  const { place, plan } = options
  const total = new Map<string, Settled>()
  const remember = (settled: ReadonlyMap<string, Settled>) => {
    // what this process finished at an earlier rung stays its own
    for (const [id, outcome] of settled) if (total.get(id) !== "finished") total.set(id, outcome)
  }
  let cells = options.shard === undefined ? plan.cells : shardOf(plan.cells, options.shard)
  let stopped = 0
  const decisions: Array<RungDecision> = []
  for (const rung of plan.early_stop?.rungs ?? []) {
    remember(yield* settle(options, cells, rung))
    const decision = yield* decideRung(options, cells, rung, plan.early_stop?.keep ?? 1)
    decisions.push(decision)
    yield* replaceJson(place.halving, { format: 1, plan: plan.digest, decisions } satisfies HalvingFile)
    const before = cells.length
    cells = cells.filter(({ arm }) => decision.kept.includes(arm))
    stopped += before - cells.length
  }
  remember(yield* settle(options, cells, undefined))
  const going = new Set<string>(cells.map(({ id }) => id))
  const count = (outcome: Settled) => [...total].filter(([id, one]) => going.has(id) && one === outcome).length
  const done: WorkDone = {
    ran: count("finished"),
    reused: count("reused"),
    failed: count("failed") + count("given-up"),
    stopped
  }
  return done
})
