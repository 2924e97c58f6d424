/**
 * The answers of a profile on disk: `answers.jsonl`, append-only, one line a sample, and `answers.index`, 32 bytes a line.
 *
 * A line is written before its record, so after a kill the texts are never behind. Opening reads the records and then what they do not cover: whole
 * lines there are stored answers and get their records; the torn line at the end is cut off, its sample is asked again. Records whose line is not
 * there (a power cut may do that) are cut off too. Whoever deletes the index loses time, no answer.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { RunFileFailed } from "../AtomicFile.ts"
import { type AnswerRecord, readRecord, RECORD_BYTES, recordOf, StoredAnswer, writeRecord } from "./AnswerRecord.ts"

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
  /** Fails when the disk does; never succeeds. */
  readonly broken: Effect.Effect<never, RunFileFailed>
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
const CHUNK = 1 << 20
/** Milliseconds between two syncs: what a power cut may cost. A kill costs nothing that was written. */
const SYNC_MILLIS = 1000

/** Where a directory's answers lie. */
export const answersFile = (directory: string) => Effect.map(Path.Path, (path) => path.join(directory, FILE))

const decodeLine = Schema.decodeUnknownResult(Schema.fromJsonString(StoredAnswer))
const encoder = new TextEncoder()

/** Reads the records; returns how many are good, how many bytes of text they cover, and the last of them. */
const readRecords = Effect.fnUntraced(function* (
  index: FileSystem.File,
  texts: number,
  each: (record: AnswerRecord) => unknown
) {
  const buffer = new Uint8Array(CHUNK)
  const view = new DataView(buffer.buffer)
  let [records, covered, filled] = [0, 0, 0]
  let last: AnswerRecord | undefined
  let position = 0n
  for (;;) {
    const read = Number(yield* index.read(buffer.subarray(filled), { position }))
    position += BigInt(read)
    filled += read
    const whole = filled - (filled % RECORD_BYTES)
    for (let at = 0; at < whole; at += RECORD_BYTES) {
      const record = readRecord(view, at)
      if (record === undefined || covered + record.bytes > texts) return { records, covered, last }
      last = record
      each(record)
      records++
      covered += record.bytes
    }
    if (read === 0) return { records, covered, last }
    buffer.copyWithin(0, whole, filled)
    filled -= whole
  }
})

/** Whether the last line that records cover is the answer that its record says: after a power cut the records may be ahead of the texts. */
const isThere = Effect.fnUntraced(function* (texts: FileSystem.File, end: number, record: AnswerRecord) {
  const line = new Uint8Array(record.bytes)
  let filled = 0
  while (filled < line.length) {
    const position = BigInt(end - record.bytes + filled)
    const read = Number(yield* texts.read(line.subarray(filled), { position }))
    if (read === 0) return false
    filled += read
  }
  const decoded = decodeLine(new TextDecoder().decode(line))
  return Result.isSuccess(decoded) && decoded.success.k === record.k
})

/** Reads the lines from a byte on, whole ones only; returns where the last of them ends. */
const readLines = Effect.fnUntraced(function* <E>(
  texts: FileSystem.File,
  from: number,
  line: (text: string, at: number, bytes: number) => Effect.Effect<void, E>
) {
  let rest: Uint8Array = new Uint8Array(0)
  let position = from
  let at = from
  const buffer = new Uint8Array(CHUNK)
  for (;;) {
    const read = Number(yield* texts.read(buffer, { position: BigInt(position) }))
    if (read === 0) return at
    position += read
    const bytes = new Uint8Array(rest.length + read)
    bytes.set(rest)
    bytes.set(buffer.subarray(0, read), rest.length)
    let start = 0
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      yield* line(new TextDecoder().decode(bytes.subarray(start, end)), at, end + 1 - start)
      at += end + 1 - start
      start = end + 1
    }
    rest = bytes.slice(start)
  }
})

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

/** Opens the store of a directory, made where it is missing; the scope's end writes what waits and syncs. One process at a time (RunLease). */
export const openAnswers = Effect.fn("AnswerStore.open")(function* (options: AnswerStoreOptions) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(options.directory, FILE)
  const failed = (cause: PlatformError) => new RunFileFailed({ file, operation: "write", reason: cause.message })
  const opened = (name: string) =>
    fs.open(path.join(options.directory, name), { flag: "a+" }).pipe(Effect.mapError(failed))
  const texts = yield* opened(FILE)
  const index = yield* opened("answers.index")

  const size = Number((yield* Effect.mapError(texts.stat, failed)).size)
  const { covered, records } = yield* Effect.gen(function* () {
    const found = yield* readRecords(index, size, () => {})
    const trusted = found.last === undefined || (yield* isThere(texts, found.covered, found.last))
    return trusted ? yield* readRecords(index, size, options.each) : { records: 0, covered: 0 }
  }).pipe(Effect.mapError(failed))
  yield* Effect.mapError(index.truncate(records * RECORD_BYTES), failed)
  const made: Array<AnswerRecord> = []
  const recover = (text: string, at: number, bytes: number): Effect.Effect<void, AnswersUnreadable> => {
    const decoded = decodeLine(text)
    const unreadable = (reason: string) => Effect.fail(new AnswersUnreadable({ file, byte: at, reason }))
    if (Result.isFailure(decoded)) return unreadable(`not a stored answer: ${decoded.failure.message.slice(0, 200)}`)
    const question = options.placeOf(decoded.success.question_id)
    if (question === undefined) return unreadable(`the question ${decoded.success.question_id} is not in the file`)
    const record = recordOf(decoded.success, question, bytes)
    options.each(record)
    made.push(record)
    return Effect.void
  }
  const end = yield* readLines(texts, covered, recover).pipe(
    Effect.mapError((error) => (error._tag === "AnswersUnreadable" ? error : failed(error)))
  )
  if (end < size) yield* Effect.mapError(texts.truncate(end), failed)
  const view = new DataView(new ArrayBuffer(made.length * RECORD_BYTES))
  for (const [i, record] of made.entries()) writeRecord(view, i * RECORD_BYTES, record)
  if (made.length > 0) yield* Effect.mapError(index.writeAll(new Uint8Array(view.buffer)), failed)

  const broken = yield* Deferred.make<never, RunFileFailed>()
  const breaks = Effect.catch((error: PlatformError) => Deferred.fail(broken, failed(error)))
  let waiting: Array<Waiting> = []
  let unsynced = false
  let work: (() => void) | undefined

  /** Interrupts wait for a batch: its records follow its lines. */
  const flush = Effect.gen(function* () {
    const batch = waiting
    waiting = []
    if (batch.length === 0) return
    yield* writeBatch(texts, index, batch)
    unsynced = true
    for (const { written } of batch) written()
  }).pipe(Effect.uninterruptible)
  const sync = Effect.suspend(() => {
    if (!unsynced) return Effect.void
    unsynced = false
    return Effect.andThen(texts.sync, index.sync)
  })
  const idle = Effect.callback<void>((resume) => {
    if (waiting.length > 0) return resume(Effect.void)
    work = () => resume(Effect.void)
  })
  // what comes while a batch is written makes the next one
  yield* Effect.addFinalizer(() => Effect.ignore(Effect.andThen(flush, sync)))
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
  const store: AnswerStore = {
    append,
    broken: Deferred.await(broken),
    reading: { records: records + made.length, recovered: made.length, tornBytes: size - end }
  }
  return store
})
