/** Kinds of truth: a number, a sentence, or a paragraph (paper, section 5). */
import { isNumberTruth } from "./guard/NumberTruth.ts"

export const TRUTHS = ["number", "sentence", "paragraph"] as const
export type Truth = (typeof TRUTHS)[number]

/** A truth with more words makes several points. */
const SENTENCE_WORDS = 40
/** LaTeX or an expression: digits, operators and single letters, without a word that is not a command. */
const EXPRESSION = /\\[A-Za-z]+|[=^_]|\d/
const WORD = /(?<![\\\p{L}])\p{L}{3,}/u

/** Tells the kind of a truth from its text: number (or an expression), one sentence, or more. */
export const truthOf = (gold: string): Truth => {
  if (isNumberTruth(gold) || (EXPRESSION.test(gold) && !WORD.test(gold.replace(/\\(?:text|mathrm|textbf)\b/g, ""))))
    return "number"
  const sentences = gold.split(/[.!?。！？]\s+(?=\S)|\n+/u).filter((part) => part.trim() !== "").length
  return sentences > 2 || gold.split(/\s+/).length > SENTENCE_WORDS ? "paragraph" : "sentence"
}
