/** Stages that cells share are made once: whoever comes first makes them, the others take another cell meanwhile. */
import { exists, writeJson } from "@gradus/experiment/AtomicFile"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import type { Cell } from "./Cell.ts"
import { claim } from "./Claim.ts"
import type { SweepPlace } from "./Place.ts"

const MARK = "made.json"

/**
 * Takes the leases of the shared stages that a cell needs and that are not made yet; they are given back with the scope.
 * Gives the digests of what is to be made, or `blocked` where another worker is making it.
 */
export const takeShared = Effect.fn("Sweep.takeShared")(function* (place: SweepPlace, cell: Cell) {
  const path = yield* Path.Path
  const missing: Array<string> = []
  for (const digest of cell.warmup === null ? [cell.profile] : [cell.warmup, cell.profile]) {
    const directory = place.shared(digest)
    if (yield* exists(path.join(directory, MARK))) continue
    if (!(yield* claim(directory))) return "blocked" as const
    // it may have been made between the look and the lease
    if (!(yield* exists(path.join(directory, MARK)))) missing.push(digest)
  }
  return missing
})

/** Says that shared stages are made. */
export const markShared = Effect.fn("Sweep.markShared")(function* (
  place: SweepPlace,
  cell: Cell,
  digests: ReadonlyArray<string>
) {
  const path = yield* Path.Path
  for (const digest of digests)
    yield* writeJson(path.join(place.shared(digest), MARK), { format: 1, digest, cell: cell.id })
})
