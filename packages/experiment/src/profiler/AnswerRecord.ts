/**
 * A stored answer in its two forms: a line of JSON with the text, for people and notebooks, and 32 bytes beside it, from which a resumed profile
 * learns in a moment what it has. The line is the truth; the record can always be made again from it.
 */
import * as Schema from "effect/Schema"

/** A line of `answers.jsonl`: one sample of one question, or why there is none. */
export const StoredAnswer = Schema.Struct({
  question_id: Schema.String,
  /** Which sample, from 0. */
  k: Schema.Int,
  /** The completion as the server gave it; null where none could be had. */
  text: Schema.NullOr(Schema.String),
  /** The thought, where the server's own parser took it out. */
  reasoning: Schema.optionalKey(Schema.String),
  finish_reason: Schema.NullOr(Schema.String),
  /** Reward of the answer; null: unscored. */
  value: Schema.NullOr(Schema.Finite),
  /** Why it has no score. */
  unscored: Schema.optionalKey(Schema.String),
  /** The answer that was taken from the text. */
  answer: Schema.NullOr(Schema.String),
  /** This sample's share of what the server counted for its request; null where it does not say. */
  prompt_tokens: Schema.NullOr(Schema.Int),
  completion_tokens: Schema.NullOr(Schema.Int),
  server: Schema.String,
  /** Why no completion could be had. */
  failure: Schema.optionalKey(Schema.String)
})
export type StoredAnswer = typeof StoredAnswer.Type

/** What the 32 bytes say. */
export interface AnswerRecord {
  /** Place of the question in its file. */
  readonly question: number
  readonly k: number
  /** null: unscored. */
  readonly value: number | null
  readonly failed: boolean
  readonly truncated: boolean
  readonly empty: boolean
  readonly prompt_tokens: number | null
  readonly completion_tokens: number | null
  /** Bytes of the answer's line, its line break included. */
  readonly bytes: number
}

export const RECORD_BYTES = 32
const UNKNOWN = 0xffff_ffff
const SCORED = 1
const FAILED = 2
const TRUNCATED = 4
const EMPTY = 8

/** Makes the record of a line. */
export const recordOf = (answer: StoredAnswer, question: number, bytes: number): AnswerRecord => ({
  question,
  k: answer.k,
  value: answer.value,
  failed: answer.failure !== undefined,
  truncated: answer.finish_reason === "length",
  empty: answer.text !== null && answer.text.trim() === "",
  prompt_tokens: answer.prompt_tokens,
  completion_tokens: answer.completion_tokens,
  bytes
})

/** FNV-1a over the first 28 bytes: notices what a power cut left half-written or as zeros. */
const checkOf = (view: DataView, at: number): number => {
  let hash = 0x811c_9dc5
  for (let i = 0; i < RECORD_BYTES - 4; i += 4) hash = Math.imul(hash ^ view.getUint32(at + i, true), 0x0100_0193)
  return hash >>> 0
}

const tokens = (value: number | null): number => (value === null ? UNKNOWN : Math.min(value, UNKNOWN - 1))

/** Writes a record at a place of a buffer, little-endian. */
export const writeRecord = (view: DataView, at: number, record: AnswerRecord): void => {
  const flags =
    (record.value === null ? 0 : SCORED) |
    (record.failed ? FAILED : 0) |
    (record.truncated ? TRUNCATED : 0) |
    (record.empty ? EMPTY : 0)
  view.setUint32(at, record.question, true)
  view.setUint16(at + 4, record.k, true)
  view.setUint16(at + 6, flags, true)
  view.setFloat64(at + 8, record.value ?? 0, true)
  view.setUint32(at + 16, tokens(record.prompt_tokens), true)
  view.setUint32(at + 20, tokens(record.completion_tokens), true)
  view.setUint32(at + 24, record.bytes, true)
  view.setUint32(at + 28, checkOf(view, at), true)
}

const known = (value: number): number | null => (value === UNKNOWN ? null : value)

/** Reads the record at a place of a buffer; undefined where its check says that it is none. */
export const readRecord = (view: DataView, at: number): AnswerRecord | undefined => {
  if (view.getUint32(at + 28, true) !== checkOf(view, at)) return undefined
  const flags = view.getUint16(at + 6, true)
  return {
    question: view.getUint32(at, true),
    k: view.getUint16(at + 4, true),
    value: (flags & SCORED) === 0 ? null : view.getFloat64(at + 8, true),
    failed: (flags & FAILED) !== 0,
    truncated: (flags & TRUNCATED) !== 0,
    empty: (flags & EMPTY) !== 0,
    prompt_tokens: known(view.getUint32(at + 16, true)),
    completion_tokens: known(view.getUint32(at + 20, true)),
    bytes: view.getUint32(at + 24, true)
  }
}
