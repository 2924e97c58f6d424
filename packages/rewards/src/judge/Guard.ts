/** The guard before the judge: answers that cannot be right, or that speak to the judge, are wrong without a call (judges were seen to pass ":"). */
import { folded } from "./guard/Bare.ts"
import { isGibberish } from "./guard/Gibberish.ts"
import { isCode, isInstruction } from "./guard/Instructions.ts"
import { isMasterKey } from "./guard/MasterKeys.ts"
import { isMetaTalk } from "./guard/MetaTalk.ts"
import { isPlaceholder, saysNothing } from "./guard/Nothing.ts"
import { namesNoNumber } from "./guard/NumberTruth.ts"
import { statesSeveral } from "./guard/SeveralResults.ts"
import type { BrokenThought } from "./guard/Thought.ts"
import type { Judged } from "./Prompt.ts"

/** Why an answer is refused. */
export type GuardReason =
  | BrokenThought
  | "too_long"
  | "says_nothing"
  | "placeholder"
  | "master_key"
  | "instruction"
  | "code"
  | "talk"
  | "no_number"
  | "several_results"
  | "gibberish"

/** Longest answer that is judged, in characters (UTF-16 units), where nothing else is said. */
export const ANSWER_CHARACTERS = 8_000

type Check = (answer: string, gold: string, told: string) => boolean

/** In this order: the first reason is the one that is named. */
const CHECKS: ReadonlyArray<readonly [GuardReason, Check]> = [
  ["says_nothing", saysNothing],
  ["placeholder", isPlaceholder],
  ["master_key", isMasterKey],
  ["instruction", (answer, _, told) => isInstruction(answer, told)],
  ["code", (answer, _, told) => isCode(answer, told)],
  ["gibberish", (answer, _, told) => isGibberish(answer, told)],
  ["talk", isMetaTalk],
  ["several_results", statesSeveral],
  ["no_number", namesNoNumber]
]

/**
 * Looks at an answer before a judge does; undefined lets it pass. A refused answer is a no, so the guard must never refuse one that
 * may be right: an answer that is the truth in other wrapping passes whatever else it looks like, and what the truth or the question
 * says too is held against nobody.
 */
export const guard = (judged: Judged, longest: number = ANSWER_CHARACTERS): GuardReason | undefined => {
  const { answer, gold, question = "", thought } = judged
  if (thought !== undefined) return thought
  if (answer.length > longest) return "too_long"
  const same = folded(answer)
  if (same !== "" && same === folded(gold)) return undefined
  const told = `${gold}\n${question}`
  return CHECKS.find(([, refuses]) => refuses(answer, gold, told))?.[0]
}
