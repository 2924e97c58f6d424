/** The journal of a run on disk: append-only, one line a committed transition, synced before the next begins. */
import { type JournalEvent, JournalEvent as JournalEventSchema } from "@gradus/domain/Journal"
import * as Digest from "@gradus/domain/Digest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import { readFile, exists, RunFileFailed, writeFile } from "./AtomicFile.ts"
import { type OwnerLost, verify } from "./Owner.ts"

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
  /** Commits a transition: when it returns, the line is on disk and the run was still ours when it got there. */
  readonly commit: (event: JournalEvent) => Effect.Effect<void, RunFileFailed | OwnerLost>
}

const decodeLine = Schema.decodeUnknownEffect(Schema.fromJsonString(JournalEventSchema))

const ROTTEN =
  "the line is not the one that was written: the disk has changed it; put the file back from a copy, or begin the run again in another directory"

/** What a line ends with: the first digits of the SHA-256 of the line without it. */
const CHECK = /,"check":"([0-9a-f]{16})"\}$/
const checkOf = (text: string): string => Digest.ofText(text).slice(0, 16)

/** Writes a transition as a line that says whether it is still the one that was written. */
const lineOf = (event: JournalEvent): string => {
  const text = JSON.stringify(event)
  return `${text.slice(0, -1)},"check":"${checkOf(text)}"}\n`
}

/** Whether a line is the one that was written; one without a check (from before there were any) is believed. */
const isWhole = (line: string): boolean => {
  const check = CHECK.exec(line)?.[1]
  return check === undefined || check === checkOf(line.replace(CHECK, "}"))
}

/** Reads a journal. Returns its events and the number of bytes that hold them: what follows is a torn line. */
export const readJournal = Effect.fn("Journal.read")(function* (file: string) {
  if (!(yield* exists(file))) return { events: [] as ReadonlyArray<JournalEvent>, bytes: 0 }
  const text = new TextDecoder().decode(yield* readFile(file))
  const whole = text.slice(0, text.lastIndexOf("\n") + 1)
  const lines = whole.split("\n").slice(0, -1)
  const events = yield* Effect.forEach(lines, (line, index) =>
    decodeLine(line).pipe(
      Effect.mapError((error) => new JournalInvalid({ file, line: index + 1, reason: error.message })),
      Effect.filterOrFail(
        () => isWhole(line),
        () => new JournalInvalid({ file, line: index + 1, reason: ROTTEN })
      )
    )
  )
  return { events: events as ReadonlyArray<JournalEvent>, bytes: new TextEncoder().encode(whole).length }
})

/** Opens a journal for appending. It becomes a new file first, without a torn last line: what an owner before us still appends goes to the old one. */
export const openJournal = Effect.fn("Journal.open")(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const failed = (cause: { readonly message: string }) =>
    new RunFileFailed({ file, operation: "write", reason: cause.message })
  const stored = yield* readJournal(file)
  const events: Array<JournalEvent> = [...stored.events]
  yield* writeFile(file, (yield* exists(file)) ? (yield* readFile(file)).slice(0, stored.bytes) : "")
  const handle = yield* fs.open(file, { flag: "a" }).pipe(Effect.mapError(failed))
  const commit = Effect.fn("Journal.commit")(
    function* (event: JournalEvent) {
      yield* verify
      const line = new TextEncoder().encode(lineOf(event))
      yield* Effect.mapError(Effect.andThen(handle.writeAll(line), handle.sync), failed)
      // the run may have been taken over in between: then whoever took it may not have read this line
      yield* verify
      events.push(event)
    },
    // a transition is committed or it is not: an interrupt waits for the line
    Effect.uninterruptible
  )
  return { events: () => events, commit } satisfies Journal
})
