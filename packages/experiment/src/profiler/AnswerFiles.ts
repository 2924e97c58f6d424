/** How the two files of stored answers are read: records, and the lines that they do not cover. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type AnswerRecord, readRecord, RECORD_BYTES, StoredAnswer } from "./AnswerRecord.ts"

const CHUNK = 1 << 20

export const decodeLine = Schema.decodeUnknownResult(Schema.fromJsonString(StoredAnswer))

/** Reads the records; returns how many are good, how many bytes of text they cover, and the last of them. */
export const readRecords = Effect.fnUntraced(function* (
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
export const isThere = Effect.fnUntraced(function* (texts: FileSystem.File, end: number, record: AnswerRecord) {
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
export const readLines = Effect.fnUntraced(function* <E>(
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
