/** `gradus judge parse`: rows of replies become rows of verdicts. */
import * as Schema from "effect/Schema"
import { readReply, type VerdictRuleName } from "./Verdict.ts"

/** A reply to read; the other keys are for the rules that need them. */
export const ReplyRow = Schema.Struct({
  id: Schema.String,
  /** null: the judge gave no text. */
  reply: Schema.NullOr(Schema.String),
  /** For `choice_last`: the labels, best first. */
  choices: Schema.optionalKey(Schema.Array(Schema.String)),
  /** For `rubric_json`: weights by name. */
  criteria: Schema.optionalKey(Schema.Record(Schema.String, Schema.Finite)),
  /** For `GRADE_last`: whether P exists. */
  partial_credit: Schema.optionalKey(Schema.Boolean)
})
export type ReplyRow = typeof ReplyRow.Type

/** What was read: the rule's own label (`yes`, `C`, `A>B`, an object of `json_last`), or `unreadable`. */
export const VerdictRow = Schema.Struct({ id: Schema.String, verdict: Schema.Json })
export type VerdictRow = typeof VerdictRow.Type

/** Reads one row by a rule. */
export const parseRow = (rule: VerdictRuleName, row: ReplyRow): VerdictRow => {
  const { id, reply, choices, criteria, partial_credit: partialCredit } = row
  const reading = reply === null ? "unreadable" : readReply(rule, reply, { choices, criteria, partialCredit })
  return { id, verdict: reading === "unreadable" ? reading : (reading.label as VerdictRow["verdict"]) }
}
