/** Fails the n-th write of a run as a bad disk does: full before a byte, full half-way (a short write), an error at the flush, a rename that fails. */
import * as Effect from "effect/Effect"
import { systemError } from "effect/PlatformError"
import type * as DiskMoments from "./DiskMoments.ts"

/** The errno that each moment fails with; a fault at `torn` leaves half a file, one at `synced` an unsynced one that is not moved. */
export const ERRNO: Readonly<Record<DiskMoments.When, string>> = {
  before: "ENOSPC: no space left on device",
  torn: "ENOSPC: no space left on device",
  written: "EIO: i/o error",
  synced: "EIO: i/o error",
  moving: "EIO: i/o error",
  moved: "EIO: i/o error"
}

/** Makes an observer that fails the `n`-th moment (from 1) and those after it: a disk that is full stays full. */
export const observer = (
  n: number
): DiskMoments.Observer & { readonly failed: () => DiskMoments.Moment | undefined } => {
  let seen = 0
  let first: DiskMoments.Moment | undefined
  const observe: DiskMoments.Observer = (moment) =>
    Effect.suspend(() => {
      seen++
      if (seen < n) return Effect.void
      first ??= moment
      return Effect.fail(
        systemError({
          _tag: "Unknown",
          module: "FileSystem",
          method: moment.when,
          description: ERRNO[moment.when],
          pathOrDescriptor: moment.file
        })
      )
    })
  return Object.assign(observe, { failed: () => first })
}
