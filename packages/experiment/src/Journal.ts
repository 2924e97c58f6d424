/** The journal of a run on disk: append-only, one line a committed transition, synced before the next begins. */
import { type JournalEvent, JournalEvent as JournalEventSchema } from "@gradus/domain/Journal"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { readFile, exists, RunFileFailed } from "./AtomicFile.ts"

/** A line of the journal cannot be read. A torn last line is not an error: its transition did not happen. */
export class JournalInvalid extends Schema.TaggedError<JournalInvalid>()("JournalInvalid", {
  file: Schema.String,
  line: Schema.Int,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.file}:${this.line}: ${this.reason}`
  }
}

export interface Journal {
  /** Everything committed so far. */
  readonly events: () => ReadonlyArray<JournalEvent>
  /** Commits a transition: when it returns, the line is on disk. */
  readonly commit: (event: JournalEvent) => Effect.Effect<void, RunFileFailed>
}

const decodeLine = Schema.decodeUnknownEffect(Schema.fromJsonString(JournalEventSchema))

/** Reads a journal. Returns its events and the number of bytes that hold them: what follows is a torn line. */
export const readJournal = Effect.fn("Journal.read")(function* (file: string) {
  if (!(yield* exists(file))) return { events: [] as ReadonlyArray<JournalEvent>, bytes: 0 }
  const text = new TextDecoder().decode(yield* readFile(file))
  const whole = text.slice(0, text.lastIndexOf("\n") + 1)
  const lines = whole.split("\n").slice(0, -1)
  const events = yield* Effect.forEach(lines, (line, index) =>
    decodeLine(line).pipe(
      Effect.mapError((error) => new JournalInvalid({ file, line: index + 1, reason: error.message }))
    )
  )
  return { events: events as ReadonlyArray<JournalEvent>, bytes: new TextEncoder().encode(whole).length }
})

/** Opens a journal for appending, after cutting off a torn last line. */
export const openJournal = Effect.fn("Journal.open")(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const failed = (cause: { readonly message: string }) =>
    new RunFileFailed({ file, operation: "write", reason: cause.message })
  const stored = yield* readJournal(file)
  const events: Array<JournalEvent> = [...stored.events]
  yield* fs.makeDirectory(path.dirname(file), { recursive: true }).pipe(Effect.mapError(failed))
  const handle = yield* fs.open(file, { flag: "a" }).pipe(Effect.mapError(failed))
  yield* handle.truncate(stored.bytes).pipe(Effect.mapError(failed))
  const commit = Effect.fn("Journal.commit")(
    function* (event: JournalEvent) {
      yield* handle.writeAll(new TextEncoder().encode(`${JSON.stringify(event)}\n`))
      yield* handle.sync
      events.push(event)
    },
    Effect.mapError(failed),
    // a transition is committed or it is not: an interrupt waits for the line
    Effect.uninterruptible
  )
  return { events: () => events, commit } satisfies Journal
})
