/** Files that are there whole or not at all, also after a power cut: write aside, sync, rename, sync the folder. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import { Owner, type OwnerLost, verify } from "./Owner.ts"

/** A file of the run directory could not be written or read. */
export class RunFileFailed extends Schema.TaggedError<RunFileFailed>()("RunFileFailed", {
  file: Schema.String,
  operation: Schema.Literals(["read", "write"]),
  reason: Schema.String
}) {
  override get message(): string {
    return `cannot ${this.operation} ${this.file}: ${this.reason}`
  }
}

const failed = (file: string, operation: "read" | "write") => (cause: { readonly message: string }) =>
  new RunFileFailed({ file, operation, reason: cause.message })

/**
 * Where a file is written before it is renamed: in the folder of the run's owner; where the run directory is not concerned, beside it, under the run's
 * name, since other runs may write the same file at the same time.
 */
const asideOf = Effect.fnUntraced(function* (file: string) {
  const path = yield* Path.Path
  const owner = yield* Owner
  if (owner !== undefined && file.startsWith(owner.root + path.sep)) return yield* owner.aside(path.basename(file))
  const run = owner === undefined ? "" : `.${path.basename(owner.root)}`
  return path.join(path.dirname(file), `.${path.basename(file)}${run}.tmp`)
})

/** Writes bytes and closes the file when they are on disk. */
const writeSynced = Effect.fnUntraced(function* (file: string, bytes: Uint8Array) {
  const fs = yield* FileSystem.FileSystem
  const handle = yield* fs.open(file, { flag: "w" })
  yield* handle.writeAll(bytes)
  yield* handle.sync
}, Effect.scoped)

/** Puts a folder's entries on disk: until then a rename in it may be undone by a power cut. */
export const syncFolder = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const handle = yield* fs.open(folder, { flag: "r" })
  yield* handle.sync
}, Effect.scoped)

/** Makes a folder and those above it that are not there, each of which is an entry of the one above. */
const makeFolder: (folder: string) => Effect.Effect<void, PlatformError, FileSystem.FileSystem | Path.Path> =
  Effect.fnUntraced(function* (folder) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    if (yield* fs.exists(folder)) return
    const above = path.dirname(folder)
    yield* makeFolder(above)
    // another process may have made it meanwhile
    yield* fs.makeDirectory(folder, { recursive: true })
    yield* syncFolder(above)
  })

/** A folder that is gone is an owner's who was replaced: that is then what happened. */
const orLost = (file: string) => (cause: PlatformError | OwnerLost) =>
  cause._tag === "PlatformError"
    ? Effect.andThen(verify, Effect.fail<RunFileFailed | OwnerLost>(failed(file, "write")(cause)))
    : Effect.fail<RunFileFailed | OwnerLost>(cause)

/** Writes a file atomically. One process writes a run directory (RunLease), so a leftover is simply replaced. Fails when the run was taken over. */
export const writeFile = Effect.fn("AtomicFile.write")(
  function* (file: string, data: Uint8Array | string) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    yield* verify
    const folder = path.dirname(file)
    yield* makeFolder(folder)
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data
    yield* Effect.scoped(
      Effect.gen(function* () {
        const aside = yield* asideOf(file)
        yield* writeSynced(aside, bytes)
        yield* fs.rename(aside, file)
        yield* syncFolder(folder)
      })
    )
  },
  (effect, file) => Effect.catch(effect, orLost(file))
)

/**
 * Begins a file anew with the bytes that it has, for who goes on appending: a copy aside, which `publish` puts in its place. Whoever appended before goes on
 * with the old file, which then has no name.
 */
export const renewal = Effect.fn("AtomicFile.renewal")(
  function* (file: string) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    yield* verify
    const folder = path.dirname(file)
    yield* makeFolder(folder)
    const aside = yield* asideOf(file)
    yield* (yield* fs.exists(file)) ? fs.copyFile(file, aside) : fs.writeFile(aside, new Uint8Array(0))
    const moved = Effect.andThen(fs.rename(aside, file), syncFolder(folder))
    return { aside, publish: Effect.catch(Effect.andThen(verify, moved), orLost(file)) }
  },
  (effect, file) => Effect.catch(effect, orLost(file))
)

/** Reads a whole file. */
export const readFile = Effect.fn("AtomicFile.read")(
  function* (file: string) {
    const fs = yield* FileSystem.FileSystem
    return yield* fs.readFile(file)
  },
  (effect, file) => Effect.mapError(effect, failed(file, "read"))
)

/** Says whether a file is there. */
export const exists = Effect.fn("AtomicFile.exists")(
  function* (file: string) {
    const fs = yield* FileSystem.FileSystem
    return yield* fs.exists(file)
  },
  (effect, file) => Effect.mapError(effect, failed(file, "read"))
)

/** Reads a file that a schema describes, as JSON. */
export const readJson = <S extends Schema.Top & { readonly DecodingServices: never }>(schema: S, file: string) =>
  Effect.flatMap(readFile(file), (bytes) =>
    Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(new TextDecoder().decode(bytes)).pipe(
      Effect.mapError(failed(file, "read"))
    )
  )

/** Writes a value as indented JSON. */
export const writeJson = (file: string, value: unknown) => writeFile(file, `${JSON.stringify(value, null, 2)}\n`)
