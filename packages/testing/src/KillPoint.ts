/** Ends this process by kill -9 at a named moment of its writes, as `GRADUS_KILL_AT=<moment>#<n>` asks: the n-th time (from 1) that the moment comes. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Layer from "effect/Layer"
import { appendFileSync } from "node:fs"
import * as DiskMoments from "./DiskMoments.ts"

export interface KillPoint {
  readonly moment: string
  /** Counts from 1. */
  readonly time: number
}

/** Reads `<moment>#<n>`; undefined for anything else. */
export const parse = (text: string): KillPoint | undefined => {
  const [, moment, time] = /^([A-Za-z_.:]+)#([1-9]\d*)$/.exec(text) ?? []
  return moment === undefined ? undefined : { moment, time: Number(time) }
}

/** Makes the observer. With `log`, every moment that comes is appended to that file. */
export const observer = (point: KillPoint | undefined, log: string | undefined): DiskMoments.Observer => {
  let times = 0
  return (moment) =>
    Effect.suspend(() => {
      const name = DiskMoments.nameOf(moment)
      if (log !== undefined) appendFileSync(log, `${name}\n`)
      if (name !== point?.moment || ++times < point.time) return Effect.void
      // nothing of this process runs after this line: no finalizer, no exit code, no flush
      process.kill(process.pid, "SIGKILL")
      return Effect.never
    })
}

/** A file system in which this process dies at a point. */
export const layer = (
  point: KillPoint | undefined,
  log?: string
): Layer.Layer<FileSystem.FileSystem, never, FileSystem.FileSystem> => DiskMoments.layer(observer(point, log))
