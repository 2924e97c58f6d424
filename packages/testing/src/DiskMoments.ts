/**
 * A file system whose writes have named moments, over a real one: an observer is told of each and may end the process there or fail the write. A
 * write has up to six: `before`, `torn` (half of the bytes are given to the system), `written` (all are), `synced`, `moving` and `moved` (a file that was
 * written aside gets its name). Journal lines are named for their transition, other files for their kind: `step_generated:torn`, `update.arrow:moved`.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Layer from "effect/Layer"

export type When = "before" | "torn" | "written" | "synced" | "moving" | "moved"

export interface Moment {
  /** A journal transition (`step_generated`, `stage_finished.plan`), or a kind of file (`rollouts.parquet`). */
  readonly name: string
  readonly when: When
  readonly file: string
}

/** Told of each moment, before anything else happens. What it fails with, the write fails with. */
export type Observer = (moment: Moment) => Effect.Effect<void, PlatformError>

/** Writes a moment as it is named in commands: `step_generated:torn`. */
export const nameOf = ({ name, when }: Moment): string => `${name}:${when}`

const basename = (file: string): string => file.slice(file.lastIndexOf("/") + 1)

/** What runs share is written aside under the name of the run that writes it. */
const OF_A_RUN = /^(.+)\.[A-Za-z0-9][\w-]*--[0-9a-f]{12}$/

/**
 * The kind of a file: its name without numbers and without the marks of a file aside. Folders that are moved are artifacts, figures are one kind, and what runs
 * share is told from what is a run's own (`shared.profile.parquet`).
 */
export const kindOf = (file: string): string => {
  const name = basename(file)
    .replace(/^\.(.*)\.tmp$/, "$1")
    .replace(OF_A_RUN, "shared.$1")
  if (/^[0-9a-f]{64}$/.test(name)) return "artifact"
  if (/\.(vl\.json|svg)$/.test(name)) return "figure"
  // an evaluation's files are named by their step alone
  return /^\d+\./.test(name) ? `eval${name.replace(/^\d+/, "")}` : name.replaceAll(/_?\d+/g, "")
}

/** The transition that a line of the journal commits; undefined where a journal is written anew with all its lines. */
const transitionOf = (bytes: Uint8Array): string | undefined => {
  const text = new TextDecoder().decode(bytes)
  if (text.indexOf("\n") !== text.length - 1) return undefined
  const event: { readonly _tag?: unknown; readonly stage?: unknown } = JSON.parse(text)
  return event.stage === undefined ? String(event._tag) : `${String(event._tag)}.${String(event.stage)}`
}

const isJournal = (file: string): boolean => basename(file) === "events.ndjson"

/** Watches an open file: its first half is written on its own, so that a process can die in between. */
const watchFile = (file: string, handle: FileSystem.File, observe: Observer): FileSystem.File => {
  let name = kindOf(file)
  const at = (when: When) => observe({ name, when, file })
  return {
    // member by member: a handle's methods lie on its class, where a spread does not find them
    [FileSystem.FileTypeId]: FileSystem.FileTypeId,
    stat: handle.stat,
    seek: (offset, from) => handle.seek(offset, from),
    read: (buffer, options) => handle.read(buffer, options),
    readAlloc: (size, options) => handle.readAlloc(size, options),
    truncate: (length) => handle.truncate(length),
    write: (buffer) => handle.write(buffer),
    writeAll: Effect.fnUntraced(function* (bytes: Uint8Array) {
      if (isJournal(file)) name = transitionOf(bytes) ?? name
      yield* at("before")
      yield* handle.writeAll(bytes.subarray(0, bytes.length >> 1))
      yield* at("torn")
      yield* handle.writeAll(bytes.subarray(bytes.length >> 1))
      yield* at("written")
    }),
    sync: Effect.andThen(
      handle.sync,
      Effect.suspend(() => at("synced"))
    )
  }
}

/** Watches the writes of a file system; reads and removals are as they were. */
export const watch = (files: FileSystem.FileSystem, observe: Observer): FileSystem.FileSystem => ({
  ...files,
  // what is opened to be read is a folder that is synced, too: who dies there leaves what `moved` leaves
  open: (file, options) =>
    options?.flag === "r"
      ? files.open(file, options)
      : Effect.map(files.open(file, options), (handle) => watchFile(file, handle, observe)),
  rename: Effect.fnUntraced(function* (from, to) {
    yield* observe({ name: kindOf(to), when: "moving", file: to })
    yield* files.rename(from, to)
    yield* observe({ name: kindOf(to), when: "moved", file: to })
  }),
  writeFile: Effect.fnUntraced(function* (file, bytes, options) {
    const at = (when: When) => observe({ name: kindOf(file), when, file })
    yield* at("before")
    yield* files.writeFile(file, bytes.subarray(0, bytes.length >> 1), options)
    yield* at("torn")
    yield* files.writeFile(file, options?.flag === "a" ? bytes.subarray(bytes.length >> 1) : bytes, options)
    yield* at("written")
  })
})

/** Puts an observer between a file system and those who write to it. */
export const layer = (observe: Observer): Layer.Layer<FileSystem.FileSystem, never, FileSystem.FileSystem> =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (files) => watch(files, observe))
  )
