/** `GRADE_last`: the last `GRADE:` says C (correct), I (incorrect) or, where half marks exist, P (partial). */
import type { Reading, VerdictOptions } from "./Reading.ts"

/** Marks that change a line's direction but not what it says. Other invisible characters are not skipped. */
const MARKS = "[\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]*"
/** The word GRADE, not the end of "downgrade"; bold may stand around the colon and the label. */
const GRADE = new RegExp(
  `(?<![\\p{L}\\p{N}_])GRADE[*_\`]*${MARKS}\\s*:${MARKS}\\s*[*_\`"'([]*\\s*${MARKS}([\\p{L}\\p{N}]*)(?=([^\\n]{0,12}))`,
  "giu"
)
/** One letter of a list of letters: the form itself, or two grades at once, and no grade. */
const LISTED =
  /^[*_`"')\]]*\s*(?:(?:\/|\||,?\s*or\b)\s*[*_`"'([]*[CIP]|(?:[,&]|and\b|)\s*[*_`"'([]*[CIP][*_`"')\].]*\s*$)/i

const LETTERS: Readonly<Record<string, string>> = {
  c: "C",
  correct: "C",
  i: "I",
  incorrect: "I",
  p: "P",
  partial: "P",
  partially: "P"
}
const VALUES: Readonly<Record<string, number>> = { C: 1, P: 0.5, I: 0 }

/** Reads the last grade. One that is not on the menu is unreadable: the reply never falls back to an earlier one. */
export const gradeLast = (reply: string, { partialCredit = false }: VerdictOptions): Reading => {
  const last = [...reply.matchAll(GRADE)].at(-1)
  const letter = LETTERS[last?.[1]?.toLowerCase() ?? ""]
  if (letter === undefined || LISTED.test(last?.[2] ?? "")) return "unreadable"
  if (letter === "P" && !partialCredit) return "unreadable"
  return { label: letter, value: VALUES[letter] ?? null }
}
