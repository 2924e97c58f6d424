/** One cell of a sweep as `verify` sees it: with its run here, by its summary alone, or not finished by anybody. */
import type { CellResult } from "@gradus/domain/CellResult"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import { exists } from "@gradus/experiment/AtomicFile"
import { layout } from "@gradus/experiment/RunDirectory"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { type AttemptEvent, readAttempts } from "./Attempts.ts"
import type { Cell } from "./Cell.ts"
import { type Change, guarded } from "./Change.ts"
import { checkRun } from "./CheckRun.ts"
import { checkSummary } from "./CheckSummary.ts"
import type { SweepPlace } from "./Place.ts"
import { storedResult } from "./Result.ts"

/** What a worker writes beside a run: it may be there without one, where a cell was begun here and finished elsewhere. */
const BESIDE: ReadonlySet<string> = new Set(["attempts.ndjson", "claim"])

const lacks = (cell: Cell, what: string, found: string): Change => ({ cell: cell.id, what, expected: "there", found })

/** Reads a summary. One that cannot be read, or is another cell's, is a change. */
const readSummary = Effect.fnUntraced(function* (place: SweepPlace, cell: Cell) {
  const file = place.result(cell.id)
  let result: CellResult | undefined
  const read = Effect.gen(function* () {
    result = yield* storedResult(file, cell.id)
    return result === undefined && (yield* exists(file))
      ? [{ cell: cell.id, what: "summary", expected: "of this cell", found: "of another one" }]
      : []
  })
  const broken = yield* guarded(cell.id, "summary", read)
  return { result, broken }
})

/** Reads what was tried here with a cell; a file of attempts that is broken says as little as none. */
const attemptsOf = (place: SweepPlace, cell: Cell) =>
  Effect.orElseSucceed(readAttempts(place.attempts(cell.id)), (): ReadonlyArray<AttemptEvent> => [])

/** Whether the cell's directory holds a run: files of one, or the word that one was finished in it. */
const holdsRun = Effect.fnUntraced(function* (place: SweepPlace, cell: Cell, finished: boolean) {
  const fs = yield* FileSystem.FileSystem
  const names = yield* Effect.orElseSucceed(fs.readDirectory(place.cell(cell.id)), (): ReadonlyArray<string> => [])
  return names.some((name) => !BESIDE.has(name)) || (names.length > 0 && finished)
})

/** What a cell's files are, and what has changed in them. */
export interface CheckedCell {
  readonly found: "checked" | "summaries" | "missing"
  readonly result: CellResult | undefined
  readonly changed: ReadonlyArray<Change>
}

/** Checks one cell. Never fails: whatever is wrong with its files is a change of this cell. */
export const checkCell = Effect.fn("Sweep.checkCell")(function* (
  place: SweepPlace,
  cell: Cell,
  manifest: Manifest,
  known: Map<string, string>
) {
  const { broken, result } = yield* readSummary(place, cell)
  const finished = (yield* attemptsOf(place, cell)).at(-1)?._tag === "finished"
  const none = result === undefined && broken.length === 0
  // somebody is at it, or was killed or stopped at it, or nobody has begun
  if (none && !finished) return { found: "missing", result, changed: [] } satisfies CheckedCell
  const summary = [
    ...broken,
    ...(none ? [lacks(cell, "summary", "none, of a cell that was finished here")] : []),
    ...(result === undefined ? [] : checkSummary(cell, manifest, result))
  ]
  if (!(yield* holdsRun(place, cell, finished)))
    return { found: "summaries", result, changed: summary } satisfies CheckedCell
  const root = place.cell(cell.id)
  const { journal } = yield* layout(root)
  const files = (yield* Effect.orElseSucceed(exists(journal), () => true))
    ? yield* checkRun(root, cell, manifest, result, known)
    : [lacks(cell, "journal", "none, of a run that is here")]
  return { found: "checked", result, changed: [...summary, ...files] } satisfies CheckedCell
})
