/** What was tried with a cell, a line an event: nothing is taken back, and a start without an end was killed. */
import { exists, readFile, RunFileFailed } from "@gradus/experiment/AtomicFile"
import { cutTorn } from "@gradus/experiment/Records"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"

const fields = {
  format: Schema.Literal(1),
  attempt: Schema.Int,
  worker: Schema.String,
  /** ISO 8601. */
  at: Schema.String
}

export const AttemptEvent = Schema.Union([
  Schema.TaggedStruct("started", fields),
  Schema.TaggedStruct("finished", { ...fields, seconds: Schema.Finite }),
  /** The rule that ends arms early will say whether it goes on. */
  Schema.TaggedStruct("paused", { ...fields, step: Schema.Int }),
  Schema.TaggedStruct("failed", { ...fields, error: Schema.String, message: Schema.String }),
  /** Somebody stopped the worker, or another process has the run. */
  Schema.TaggedStruct("cancelled", fields)
])
export type AttemptEvent = typeof AttemptEvent.Type

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(AttemptEvent))

/** Reads what was tried. A torn last line did not happen. */
export const readAttempts = Effect.fn("Attempts.read")(function* (file: string) {
  if (!(yield* exists(file))) return []
  const text = new TextDecoder().decode(yield* readFile(file))
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n")
  return yield* Effect.forEach(
    lines.filter((line) => line !== ""),
    (line) =>
      decode(line).pipe(
        Effect.mapError((cause) => new RunFileFailed({ file, operation: "read", reason: cause.message }))
      )
  )
})

/** Writes an event behind the others, and has it on disk. A last line that a killed attempt left torn did not happen and goes. The caller owns the cell. */
export const recordAttempt = Effect.fn("Attempts.record")(
  function* (file: string, event: AttemptEvent) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    yield* fs.makeDirectory(path.dirname(file), { recursive: true })
    yield* cutTorn(file)
    const handle = yield* fs.open(file, { flag: "a" })
    yield* handle.writeAll(new TextEncoder().encode(`${JSON.stringify(event)}\n`))
    yield* handle.sync
  },
  (effect, file) =>
    Effect.mapError(Effect.scoped(effect), (cause) =>
      cause._tag === "PlatformError" ? new RunFileFailed({ file, operation: "write", reason: cause.message }) : cause
    )
)
