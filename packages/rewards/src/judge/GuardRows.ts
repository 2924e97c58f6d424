/** `gradus judge guard`: rows of completions become rows that say which of them a judge would be asked about. */
import * as Schema from "effect/Schema"
import { ANSWER_CHARACTERS, guard } from "./Guard.ts"

export const GuardedRow = Schema.Struct({
  id: Schema.String,
  question: Schema.optionalKey(Schema.String),
  gold: Schema.String,
  completion: Schema.String
})
export type GuardedRow = typeof GuardedRow.Type

export const GuardRow = Schema.Struct({
  id: Schema.String,
  pass: Schema.Boolean,
  reason: Schema.optionalKey(Schema.String)
})
export type GuardRow = typeof GuardRow.Type

const OPEN = "<think>"
const CLOSE = "</think>"

const count = (text: string, part: string): number => text.split(part).length - 1

/** Takes what a judge may see: what stands after the last `</think>`; null where a thought never ends. */
const shown = (completion: string): string | null => {
  const close = completion.lastIndexOf(CLOSE)
  if (close >= 0) return completion.slice(close + CLOSE.length).trim()
  return completion.includes(OPEN) ? null : completion.trim()
}

/** Guards one row. A thought that never ends, or ends more often than it begins (a template may have begun one), is refused as well. */
export const guardRow = (row: GuardedRow, longest: number = ANSWER_CHARACTERS): GuardRow => {
  const { id, question, gold, completion } = row
  const answer = shown(completion)
  if (answer === null) return { id, pass: false, reason: "unfinished_thought" }
  if (count(completion, CLOSE) > count(completion, OPEN) + 1) return { id, pass: false, reason: "unopened_thought" }
  const reason = guard({ question, gold, answer }, longest)
  return reason === undefined ? { id, pass: true } : { id, pass: false, reason }
}
