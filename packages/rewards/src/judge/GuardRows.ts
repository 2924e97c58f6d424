/** `gradus judge guard`: rows of completions become rows that say which of them a judge would be asked about. */
import * as Schema from "effect/Schema"
import { takeAnswer } from "../Answer.ts"
import { ANSWER_CHARACTERS, guard } from "./Guard.ts"
import { brokenThought } from "./guard/Thought.ts"

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

/** Guards one row, as a run guards what it judges: of a completion only what stands after the last `</think>` is an answer. */
export const guardRow = (row: GuardedRow, longest: number = ANSWER_CHARACTERS): GuardRow => {
  const { id, question, gold, completion } = row
  const answer = takeAnswer("after_think", completion) ?? ""
  const reason = guard({ question, gold, answer, thought: brokenThought(completion) }, longest)
  return reason === undefined ? { id, pass: true } : { id, pass: false, reason }
}
