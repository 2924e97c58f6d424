/** Mathematical accuracy: the answer is equivalent to the truth, however either is written. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { hasBox } from "../answer/Boxed.ts"
import { mathLast } from "../answer/MathLast.ts"
import { type Answer, readAnswer, sameAnswer } from "../math/Equivalent.ts"
import type { Accuracy } from "./Accuracy.ts"

const Several = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Array(Schema.String)))

const HASH = "####"

/** Only the end of a longer text is searched for what it states. */
const SEARCHED = 20_000

/** A text without the solution around its result: its boxes, what "the final answer is", or what stands after GSM8K's `####`. */
const stated = (text: string): string => {
  const end = text.slice(-SEARCHED)
  const mark = end.lastIndexOf(HASH)
  if (mark >= 0) return end.slice(mark + HASH.length).trim()
  return hasBox(end) || /final answer/i.test(end) ? (mathLast(end) ?? "") : text.trim()
}

/** The truths that a row allows: one, or each text of a JSON array of texts. Blank ones are left out. */
export const truths = (gold: string): ReadonlyArray<string> => {
  const several = gold.trimStart().startsWith("[") ? Option.getOrUndefined(Several(gold)) : undefined
  return (several ?? [gold]).filter((truth) => stated(truth) !== "")
}

/** A text as it stands, and what it states where that is less. */
const readings = (text: string): ReadonlyArray<Answer> => {
  const result = stated(text)
  return (result === text.trim() ? [result] : [text, result]).map(readAnswer).filter(({ written }) => written !== "")
}

/** Says whether an answer is equivalent to the truth, or to one of several. Unscored where there is no truth. */
export const math = (answer: string | null, gold: string): Accuracy => {
  const allowed = truths(gold).flatMap(readings)
  if (allowed.length === 0) return { kind: "unscored", reason: "gold_unreadable" }
  const said = answer === null ? [] : readings(answer)
  return { kind: "scored", value: said.some((one) => allowed.some((truth) => sameAnswer(one, truth))) ? 1 : 0 }
}
