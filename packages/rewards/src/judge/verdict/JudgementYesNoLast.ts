/** `Judgement_yes_no_last`: what follows the last `Judgement:` begins with yes or no. */
import { type Reading, yesOrNo } from "./Reading.ts"

const MARK = "Judgement:"
/** A whole word that is not one half of "yes or no". */
const WORD =
  /^(yes|no)(?![\p{L}\p{M}\p{N}_'’])(?![\s(]*(?:[/|&]|-?\bor\b|\band\b)[\s-]*(?:yes|no)\b)(?![^\S\n]*,[^\S\n]*(?:yes|no)[.!]?\s*$)/iu

/** Reads the word after the last mark; the mark is spelt and capitalised as the prompt asks for it, and bold may surround both together. */
export const judgementYesNoLast = (reply: string): Reading => {
  const mark = reply.lastIndexOf(MARK)
  if (mark < 0) return "unreadable"
  const said = WORD.exec(reply.slice(mark + MARK.length).trimStart())?.[1]?.toLowerCase()
  return said === "yes" || said === "no" ? yesOrNo(said) : "unreadable"
}
