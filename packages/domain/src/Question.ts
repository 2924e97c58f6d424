/** A question: what a policy is asked and what counts as right. */
import * as Schema from "effect/Schema"

/** Whether the system prompt says "detailed thinking on" or "off" (paper, section 5). */
export const Thinking = Schema.Literals(["on", "off"])
export type Thinking = typeof Thinking.Type

export const Question = Schema.Struct({
  /** Unique in its data set, and stable: it names the question in plans, seeds and reports. */
  question_id: Schema.String.check(Schema.isMinLength(1)),
  /** The question's own text; the manifest's prompt template surrounds it. */
  question: Schema.String,
  /** The truth that completions are compared with. */
  gold: Schema.String,
  thinking: Thinking,
  /** What the question is about, for quotas per domain. */
  domain: Schema.optionalKey(Schema.String),
  /** The difficulty its author states (list length, level name), for breakdowns; the curriculum never reads it. */
  level: Schema.optionalKey(Schema.String)
})
export type Question = typeof Question.Type

/** A question with the text that a policy should imitate in the warm-up. */
export const WorkedExample = Schema.Struct({ ...Question.fields, completion: Schema.String })
export type WorkedExample = typeof WorkedExample.Type

/** The sets of questions of one experiment. No question text is in two of them. */
export interface QuestionSets {
  readonly train: ReadonlyArray<Question>
  /** Evaluation sets by name, e.g. `heldout` and `hard`. */
  readonly evaluation: Readonly<Record<string, ReadonlyArray<Question>>>
}
