/** Whether a response follows the instructions of a row, strictly or loosely (IFEval, arXiv 2311.07911, section 2.2). */
import { changeCase } from "./ChangeCase.ts"
import { combination } from "./Combination.ts"
import { detectableContent } from "./DetectableContent.ts"
import { detectableFormat } from "./DetectableFormat.ts"
import type { Check } from "./Instruction.ts"
import { keywords } from "./Keywords.ts"
import { language } from "./Language.ts"
import { lengthConstraints } from "./LengthConstraints.ts"
import { punctuation } from "./Punctuation.ts"
import { startEnd } from "./StartEnd.ts"

const INSTRUCTIONS = new Map(
  [
    ...changeCase,
    ...combination,
    ...detectableContent,
    ...detectableFormat,
    ...keywords,
    ...language,
    ...lengthConstraints,
    ...punctuation,
    ...startEnd
  ].map((instruction) => [instruction.id, instruction])
)

/** The ids of all instructions that can be checked. */
export const INSTRUCTION_IDS: ReadonlyArray<string> = [...INSTRUCTIONS.keys()]

export type Strictness = "strict" | "loose"

/** Makes the check of one instruction; undefined where the id is unknown or its arguments are not what it needs. */
export const checkFor = (id: string, kwargs: unknown): Check | undefined => INSTRUCTIONS.get(id)?.checkFor(kwargs)

/** The response as written, and without its first line, its last line, or both; each also without asterisks. */
const loosened = (response: string): ReadonlyArray<string> => {
  const lines = response.split("\n")
  const cuts = [lines, lines.slice(1), lines.slice(0, -1), lines.slice(1, -1)].map((cut) => cut.join("\n").trim())
  return [response, ...cuts, ...cuts.map((cut) => cut.replaceAll("*", ""))]
}

/** Says whether a response follows an instruction. A blank response follows none. Loosely: where one of its loosened forms does. */
export const follows = (check: Check, response: string, strictness: Strictness): boolean =>
  (strictness === "strict" ? [response] : loosened(response)).some((form) => form.trim() !== "" && check(form))
