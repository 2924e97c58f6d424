/** Grades an answer against the truths that a row allows. Free of everything but the reader, so that a thread starts with it at once. */
import { hasBox } from "../answer/Boxed.ts"
import { mathLast } from "../answer/MathLast.ts"
import type { Accuracy } from "../accuracy/Accuracy.ts"
import { type Answer, readAnswer, sameAnswer } from "./Equivalent.ts"

const HASH = "####"

/** Only the end of a longer text is searched for what it states. */
const SEARCHED = 20_000

/** A text without the solution around its result: its boxes, what "the answer is", or what stands after GSM8K's `####`. */
const stated = (text: string): string => {
  const end = text.slice(-SEARCHED)
  const mark = end.lastIndexOf(HASH)
  if (mark >= 0) return end.slice(mark + HASH.length).trim()
  return hasBox(end) || /\b(?:final answer|answer is)\b/i.test(end) ? (mathLast(end) ?? "") : text.trim()
}

/** A text as it stands, and what it states where that is less. Nothing where it states nothing. */
const readings = (text: string): ReadonlyArray<Answer> => {
  const result = stated(text)
  if (result === "") return []
  return (result === text.trim() ? [result] : [text, result]).map(readAnswer).filter(({ written }) => written !== "")
}

/** Says whether one of the answers is equivalent to one of the truths. Unscored where no truth says anything. */
export const gradeMath = (answers: ReadonlyArray<string>, truths: ReadonlyArray<string>): Accuracy => {
  const allowed = truths.flatMap(readings)
  if (allowed.length === 0) return { kind: "unscored", reason: "gold_unreadable" }
  const said = answers.flatMap(readings)
  return { kind: "scored", value: said.some((one) => allowed.some((truth) => sameAnswer(one, truth))) ? 1 : 0 }
}
