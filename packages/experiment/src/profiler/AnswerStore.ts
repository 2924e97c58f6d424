/**
 * The answers of a profile on disk: `answers.jsonl`, append-only, one line a sample, and `answers.index`, 32 bytes a line.
 *
 * A line is written before its record, so after a kill the texts are never behind. Opening reads the records and then what they do not cover: whole
 * lines there are stored answers and get their records; the torn line at the end is cut off, its sample is asked again. Records whose line is not
 * there (a power cut may do that) are cut off too. Whoever deletes the index loses time, no answer. Both are new files for each that opens them.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { renewal, RunFileFailed } from "../AtomicFile.ts"
import { Owner, type OwnerLost } from "../Owner.ts"
import { decodeLine, isThere, readLines, readRecords } from "./AnswerFiles.ts"
import { type AnswerRecord, RECORD_BYTES, recordOf, type StoredAnswer, writeRecord } from "./AnswerRecord.ts"

/** A whole line that is no stored answer: somebody else wrote to the file. */
export class AnswersUnreadable extends Schema.TaggedError<AnswersUnreadable>()("AnswersUnreadable", {
  file: Schema.String,
  byte: Schema.Finite,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.file}, at byte ${this.byte}: ${this.reason}; what stands before it is whole`
  }
}

export interface AnswerStore {
  /** Stores answers of one question; when it returns they are written, so that a kill loses only what was asked and has not come. */
  readonly append: (question: number, answers: ReadonlyArray<StoredAnswer>) => Effect.Effect<void>
  /** Fails when the disk does, or when the directory is no longer ours; never succeeds. */
  readonly broken: Effect.Effect<never, RunFileFailed | OwnerLost>
  readonly reading: { readonly records: number; readonly recovered: number; readonly tornBytes: number }
}

export interface AnswerStoreOptions {
  readonly directory: string
  /** Finds a question's place by its id; asked only for lines without a record. */
  readonly placeOf: (id: string) => number | undefined
  /** Takes every stored answer, in the order in which they were stored. */
  readonly each: (record: AnswerRecord) => unknown
}

const FILE = "answers.jsonl"
const INDEX = "answers.index"
/** Milliseconds between two syncs: what a power cut may cost. A kill costs nothing that was written. */
const SYNC_MILLIS = 1000

const encoder = new TextEncoder()

const writeFailed = (file: string) => (cause: PlatformError) =>
  new RunFileFailed({ file, operation: "write", reason: cause.message })

/** Where a directory's answers lie. */
export const answersFile = (directory: string) => Effect.map(Path.Path, (path) => path.join(directory, FILE))

/** Takes the stored answers of a directory that somebody else wrote, in their order; a torn line at the end is none. */
export const readAnswers = Effect.fn("AnswerStore.readAnswers")(function* (
  directory: string,
  each: (answer: StoredAnswer) => Effect.Effect<void>
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(directory, FILE)
  const failed = (cause: PlatformError) => new RunFileFailed({ file, operation: "read", reason: cause.message })
  const texts = yield* fs.open(file, { flag: "r" }).pipe(Effect.mapError(failed))
  const take = (text: string, at: number): Effect.Effect<void, AnswersUnreadable> => {
    const decoded = decodeLine(text)
    if (Result.isSuccess(decoded)) return each(decoded.success)
    const reason = `not a stored answer: ${decoded.failure.message.slice(0, 200)}`
    return Effect.fail(new AnswersUnreadable({ file, byte: at, reason }))
  }
  yield* readLines(texts, 0, take).pipe(
    Effect.mapError((error) => (error._tag === "AnswersUnreadable" ? error : failed(error)))
  )
}, Effect.scoped)

interface Waiting {
  readonly line: string
  readonly record: (bytes: number) => AnswerRecord
  readonly written: () => void
}

/** Writes what waits: lines, then their records. */
const writeBatch = Effect.fnUntraced(function* (
  texts: FileSystem.File,
  index: FileSystem.File,
  batch: ReadonlyArray<Waiting>
) {
  const lines = batch.map(({ line }) => encoder.encode(line))
  const total = lines.reduce((sum, bytes) => sum + bytes.length, 0)
  const bytes = new Uint8Array(total)
  const records = new DataView(new ArrayBuffer(batch.length * RECORD_BYTES))
  let at = 0
  for (const [i, line] of lines.entries()) {
    bytes.set(line, at)
    at += line.length
    const record = batch[i]?.record(line.length)
    if (record !== undefined) writeRecord(records, i * RECORD_BYTES, record)
  }
  yield* texts.writeAll(bytes)
  yield* index.writeAll(new Uint8Array(records.buffer))
})

/** How long what waits may take to be written when the scope ends: a store that is away does not keep who leaves. */
const LEAVING_MILLIS = 2000

/**
 * Writes what is appended, a batch at a time. A batch begins only while the directory is ours, and is said to be written only if it still was ours then: who
 * was replaced meanwhile has written to files without a name.
 */
const writer = Effect.fnUntraced(function* (file: string, texts: FileSystem.File, index: FileSystem.File) {
  const owner = yield* Owner
  const held: Effect.Effect<void, OwnerLost> = owner?.verify ?? Effect.void
  const broken = yield* Deferred.make<never, RunFileFailed | OwnerLost>()
  const breaks = Effect.catch((error: PlatformError | OwnerLost) =>
    Deferred.fail(broken, error._tag === "PlatformError" ? writeFailed(file)(error) : error)
  )
  let waiting: Array<Waiting> = []
  let unsynced = false
  let work: (() => void) | undefined

  /** Interrupts wait for a batch (its records follow its lines), and not for a store that does not answer. */
  const flush = Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      if (waiting.length === 0) return
      yield* restore(held)
      const batch = waiting
      waiting = []
      yield* writeBatch(texts, index, batch)
      unsynced = true
      yield* restore(held)
      for (const { written } of batch) written()
    })
  )
  const sync = Effect.suspend(() => {
    if (!unsynced) return Effect.void
    unsynced = false
    return Effect.andThen(texts.sync, index.sync)
  })
  const idle = Effect.callback<void>((resume) => {
    if (waiting.length > 0) return resume(Effect.void)
    work = () => resume(Effect.void)
  })
  const leave = Effect.gen(function* () {
    if (yield* Deferred.isDone(broken)) return
    const writing = yield* Effect.forkDetach(Effect.interruptible(Effect.andThen(flush, sync)))
    const late = Effect.andThen(
      Effect.sleep(LEAVING_MILLIS),
      Effect.sync(() => writing.interruptUnsafe())
    )
    const timer = yield* Effect.forkDetach(Effect.interruptible(late))
    yield* Fiber.await(writing)
    timer.interruptUnsafe()
  })
  // what comes while a batch is written makes the next one
  yield* Effect.addFinalizer(() => leave)
  yield* Effect.forkScoped(breaks(Effect.forever(Effect.andThen(idle, flush))))
  yield* Effect.forkScoped(breaks(Effect.forever(Effect.andThen(Effect.sleep(SYNC_MILLIS), sync))))

  const append = (question: number, answers: ReadonlyArray<StoredAnswer>): Effect.Effect<void> =>
    Effect.callback((resume) => {
      for (const [i, answer] of answers.entries()) {
        waiting.push({
          line: `${JSON.stringify(answer)}\n`,
          record: (length) => recordOf(answer, question, length),
          written: i === answers.length - 1 ? () => resume(Effect.void) : () => {}
        })
      }
      const begin = work
      work = undefined
      begin?.()
    })
  return { append, broken: Deferred.await(broken) }
})

/** Reads what is stored, cuts off what is torn, and makes the records that are missing. */
const recover = Effect.fnUntraced(function* (
  file: string,
  texts: FileSystem.File,
  index: FileSystem.File,
  { each, placeOf }: AnswerStoreOptions
) {
  const size = Number((yield* texts.stat).size)
  const found = yield* readRecords(index, size, () => {})
  const trusted = found.last === undefined || (yield* isThere(texts, found.covered, found.last))
  const { covered, records } = trusted ? yield* readRecords(index, size, each) : { records: 0, covered: 0 }
  yield* index.truncate(records * RECORD_BYTES)
  const made: Array<AnswerRecord> = []
  const take = (text: string, at: number, bytes: number): Effect.Effect<void, AnswersUnreadable> => {
    const decoded = decodeLine(text)
    const unreadable = (reason: string) => Effect.fail(new AnswersUnreadable({ file, byte: at, reason }))
    if (Result.isFailure(decoded)) return unreadable(`not a stored answer: ${decoded.failure.message.slice(0, 200)}`)
    const question = placeOf(decoded.success.question_id)
    if (question === undefined) return unreadable(`the question ${decoded.success.question_id} is not in the file`)
    const record = recordOf(decoded.success, question, bytes)
    each(record)
    made.push(record)
    return Effect.void
  }
  const end = yield* readLines(texts, covered, take)
  if (end < size) yield* texts.truncate(end)
  const view = new DataView(new ArrayBuffer(made.length * RECORD_BYTES))
  for (const [i, record] of made.entries()) writeRecord(view, i * RECORD_BYTES, record)
  if (made.length > 0) yield* index.writeAll(new Uint8Array(view.buffer))
  return { records: records + made.length, recovered: made.length, tornBytes: size - end }
})

/**
 * Opens the store of a directory, made where it is missing; the scope's end writes what waits and syncs. One process at a time (RunLease): both files become
 * new ones first, the records copied before the texts so that they are never ahead, and whoever slept past its lease goes on with the old ones.
 */
export const openAnswers = Effect.fn("AnswerStore.open")(function* (options: AnswerStoreOptions) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(options.directory, FILE)
  const failed = Effect.mapError((cause: PlatformError | AnswersUnreadable) =>
    cause._tag === "PlatformError" ? writeFailed(file)(cause) : cause
  )
  const [newIndex, newTexts] = [yield* renewal(path.join(options.directory, INDEX)), yield* renewal(file)]
  const [index, texts] = yield* failed(
    Effect.all([fs.open(newIndex.aside, { flag: "a+" }), fs.open(newTexts.aside, { flag: "a+" })])
  )
  const reading = yield* failed(
    recover(file, texts, index, options).pipe(
      Effect.tap(() => Effect.andThen(texts.sync, index.sync)),
      Effect.onError(() => Effect.ignore(Effect.andThen(fs.remove(newTexts.aside), fs.remove(newIndex.aside))))
    )
  )
  yield* Effect.andThen(newTexts.publish, newIndex.publish)
  const store: AnswerStore = { ...(yield* writer(file, texts, index)), reading }
  return store
})
