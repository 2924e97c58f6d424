/** The check that no question is in two sets: what a policy is trained on says nothing about how it does on what it has not seen. */
import type { Question, QuestionSets } from "@gradus/domain/Question"
import * as Effect from "effect/Effect"
import { QuestionSetsOverlap } from "./DatasetErrors.ts"

/** Brings a question's text to the form in which texts are compared: Unicode NFC, white space as single blanks. */
export const normalised = (text: string): string => text.normalize("NFC").replace(/\s+/gu, " ").trim()

/** Overlaps that an error names; it counts the others. */
const named = 10

/**
 * Fails with `QuestionSetsOverlap`, which names the ids, if a normalised question text is in two sets. Warm-up examples,
 * where given, are held against the evaluation sets only: imitating a question and then practising it is legitimate.
 */
export const checkDisjoint = (
  sets: QuestionSets,
  warmup: ReadonlyArray<Question> = []
): Effect.Effect<void, QuestionSetsOverlap> => {
  const seen = new Map<string, { readonly set: string; readonly question_id: string }>()
  const overlaps: Array<QuestionSetsOverlap["overlaps"][number]> = []
  const visit = (set: string, questions: ReadonlyArray<Question>): void => {
    for (const { question, question_id } of questions) {
      const text = normalised(question)
      const first = seen.get(text)
      if (first === undefined) seen.set(text, { set, question_id })
      else if (first.set !== set) overlaps.push({ question: text, first, second: { set, question_id } })
    }
  }
  for (const [set, questions] of Object.entries(sets.evaluation)) visit(set, questions)
  const evaluation = new Map(seen)
  visit("train", sets.train)
  seen.clear()
  for (const [text, first] of evaluation) seen.set(text, first)
  visit("warmup", warmup)
  return overlaps.length === 0
    ? Effect.void
    : Effect.fail(new QuestionSetsOverlap({ count: overlaps.length, overlaps: overlaps.slice(0, named) }))
}
