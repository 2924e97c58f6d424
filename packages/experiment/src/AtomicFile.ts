/** Files that are there whole or not at all: write aside, sync, rename. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"

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

/** Writes a file atomically. One process writes a run directory (RunLease), so the name aside is fixed and a leftover is simply replaced. */
export const writeFile = Effect.fn("AtomicFile.write")(
  function* (file: string, data: Uint8Array | string) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    yield* fs.makeDirectory(path.dirname(file), { recursive: true })
    const aside = path.join(path.dirname(file), `.${path.basename(file)}.tmp`)
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data
    yield* Effect.scoped(
      Effect.gen(function* () {
        const handle = yield* fs.open(aside, { flag: "w" })
        yield* handle.writeAll(bytes)
        yield* handle.sync
      })
    )
    yield* fs.rename(aside, file)
  },
  (effect, file) => Effect.mapError(effect, failed(file, "write"))
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
