/** One cell under its claim: shared stages first, then the run; every attempt is written down, and how it ended. */
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import { writeJson } from "@gradus/experiment/AtomicFile"
import * as Progress from "@gradus/experiment/Progress"
import { trainerRunName } from "@gradus/experiment/OpenPolicy"
import { finished, type Origin, profileOf, run, type RunEngines, type RunInput } from "@gradus/experiment/Run"
import { identity } from "@gradus/manifest/Resolve"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import type * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { type AttemptEvent, readAttempts, recordAttempt } from "./Attempts.ts"
import type { Cell } from "./Cell.ts"
import { claim } from "./Claim.ts"
import type { CellEngines } from "./Engines.ts"
import type { SweepPlace } from "./Place.ts"
import { resultOf, storedResult } from "./Result.ts"
import { markShared, takeShared } from "./Shared.ts"

/** How a cell stands for this worker. `given-up`: it failed before, and is not to be tried again; `elsewhere`: another worker has it; `blocked`: another one makes what it needs. */
export type CellOutcome = "finished" | "reused" | "paused" | "failed" | "given-up" | "elsewhere" | "blocked"

export interface CellTask {
  readonly cell: Cell
  readonly manifest: Manifest
  /** Step after which the cell waits for a decision; absent: it runs to its end. */
  readonly until: number | undefined
  /** Whether a cell whose last attempt failed is tried again. */
  readonly retry: boolean
}

export interface CellContext<E> {
  readonly place: SweepPlace
  readonly worker: string
  /** Where the worker's trainer keeps its state. */
  readonly state: string
  readonly base: string
  readonly written: string
  readonly origin: Origin
  readonly engines: CellEngines<E>
}

const inputOf = (context: CellContext<unknown>, { cell, manifest }: CellTask): RunInput => ({
  resolved: { manifest, digest: identity(manifest), provenance: [] },
  written: context.written,
  base: context.base,
  root: context.place.cell(cell.id),
  origin: context.origin,
  report: false
})

/** Runs until a step's reading is taken, or to the end. The observer never returns once it is there, so nothing of the next step begins. */
const runUntil = <E>(input: RunInput, engines: Layer.Layer<RunEngines, E>, until: number | undefined) =>
  Effect.gen(function* () {
    const reached = yield* Deferred.make<void>()
    const observe = (event: Progress.ProgressEvent): Effect.Effect<void> =>
      until !== undefined && event.stage === "train" && event.done >= until && event.done < event.total
        ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
        : Effect.void
    const whole = run(input, engines).pipe(
      Effect.provideService(Progress.Progress, observe),
      Effect.as("finished" as const)
    )
    return yield* Effect.raceFirst(whole, Effect.as(Deferred.await(reached), "paused" as const))
  })

/** The run itself, with the stages that it shares made under their leases. */
const perform = <E>(context: CellContext<E>, task: CellTask, missing: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const input = inputOf(context, task)
    const engines = context.engines.layer(task.manifest, input.root)
    if (missing.length > 0) {
      yield* profileOf(input, engines).pipe(Effect.provideService(Progress.Progress, () => Effect.void))
      yield* markShared(context.place, task.cell, missing)
    }
    return { input, engines }
  })

const lastOf = (events: ReadonlyArray<AttemptEvent>): AttemptEvent | undefined => events.at(-1)

/** Says what is known of a cell without taking it; undefined where there is something to do. */
const settled = Effect.fnUntraced(function* (place: SweepPlace, { cell, retry, until }: CellTask) {
  if ((yield* storedResult(place.result(cell.id), cell.id)) !== undefined) return "reused" as const
  const last = lastOf(yield* readAttempts(place.attempts(cell.id)))
  if (last?._tag === "failed" && !retry) return "given-up" as const
  if (last?._tag === "paused" && until !== undefined && last.step >= until) return "paused" as const
  return undefined
})

const failureOf = (cause: Cause.Cause<unknown>): { readonly error: string; readonly message: string } => {
  if (Cause.hasDies(cause)) return { error: "Defect", message: Cause.pretty(cause) }
  const error = Cause.squash(cause)
  const tag = typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : "Error"
  return { error: tag, message: error instanceof Error ? error.message : String(error) }
}

/** What says that another process has the run of a cell: one of a worker that died, until its lease runs out, or one that was begun by itself. */
const ELSEWHERE: ReadonlySet<string> = new Set(["RunOwned", "RunLeaseLost"])

/** Keeps a finished cell's summary. */
const keepResult = Effect.fnUntraced(function* (place: SweepPlace, { id }: Cell) {
  yield* writeJson(place.result(id), yield* resultOf(place.cell(id), id))
})

/** Removes what the trainer kept to go on with a cell that is finished: its last weights are an artifact, its moments serve nobody. */
const forget = Effect.fnUntraced(function* (context: CellContext<unknown>, task: CellTask) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const run = trainerRunName(path.basename(context.place.cell(task.cell.id)), identity(task.manifest))
  yield* Effect.ignore(fs.remove(path.join(context.state, "runs", run), { recursive: true }))
})

/** Tries a claimed cell once. */
const attempt = Effect.fnUntraced(function* <E>(context: CellContext<E>, task: CellTask) {
  const { place, worker } = context
  const file = place.attempts(task.cell.id)
  // another sweep had the same cell, or a worker was killed between the run's end and its summary
  if ((yield* finished(inputOf(context, task))) !== undefined) {
    yield* keepResult(place, task.cell)
    return "reused" as const
  }
  const number = (yield* readAttempts(file)).filter(({ _tag }) => _tag === "started").length + 1
  const common = Effect.map(DateTime.now, (now) => ({
    format: 1 as const,
    attempt: number,
    worker,
    at: DateTime.formatIso(now)
  }))
  // a scope of its own: leases of shared stages are given back as soon as these are made
  const shared = yield* Effect.scoped(
    Effect.gen(function* () {
      const missing = yield* takeShared(place, task.cell)
      if (missing === "blocked") return missing
      yield* recordAttempt(file, { _tag: "started", ...(yield* common) })
      return yield* Effect.exit(perform(context, task, missing)).pipe(Effect.onInterrupt(() => cancelled(file, common)))
    })
  )
  if (shared === "blocked") return shared
  const began = yield* Clock.currentTimeMillis
  const exit = yield* Effect.exit(
    Effect.gen(function* () {
      const { engines, input } = yield* shared
      return yield* runUntil(input, engines, task.until)
    })
  ).pipe(Effect.onInterrupt(() => cancelled(file, common)))
  if (Exit.isFailure(exit)) {
    const failure = failureOf(exit.cause)
    // one that was never ours leaves the trainer as it was, for the next cell
    if (failure.error !== "RunOwned") yield* context.engines.discard
    if (ELSEWHERE.has(failure.error)) {
      yield* cancelled(file, common)
      return "elsewhere" as const
    }
    yield* recordAttempt(file, { _tag: "failed", ...(yield* common), ...failure })
    return "failed" as const
  }
  if (exit.value === "paused") {
    yield* recordAttempt(file, { _tag: "paused", ...(yield* common), step: task.until ?? 0 })
    return "paused" as const
  }
  yield* keepResult(place, task.cell)
  yield* forget(context, task)
  const seconds = ((yield* Clock.currentTimeMillis) - began) / 1000
  yield* recordAttempt(file, { _tag: "finished", ...(yield* common), seconds })
  return "finished" as const
})

const cancelled = (file: string, common: Effect.Effect<Omit<Extract<AttemptEvent, { _tag: "cancelled" }>, "_tag">>) =>
  Effect.flatMap(common, (fields) => recordAttempt(file, { _tag: "cancelled", ...fields })).pipe(
    // the worker is being stopped: a line that cannot be written makes the attempt one that was killed
    Effect.ignore
  )

/** Works on a cell if nobody else does. What goes wrong in it is its outcome; what fails here is the sweep's own files or leases. */
export const runCell = Effect.fn("Sweep.runCell")(function* <E>(context: CellContext<E>, task: CellTask) {
  const known = yield* settled(context.place, task)
  if (known !== undefined) return known
  if (!(yield* claim(context.place.claim(task.cell.id)))) return "elsewhere" as const
  // somebody may have finished it between the look and the claim
  return (yield* settled(context.place, task)) ?? (yield* attempt(context, task))
}, Effect.scoped)
