/** Choice accuracy: the answer names the option that the truth names. */
import type { Accuracy } from "./Accuracy.ts"

/** A letter that stands alone, perhaps in brackets, bold or LaTeX's `\text{…}`, and perhaps with the option's text after it. */
const OPTION =
  /^(?:\\(?:text|mathrm|mathbf|textbf)\s?\{)?[*\s]*(?:option|choice|answer)?[\s:*]*[([]?\s?([A-Za-z])\s?(?:[)\]}.:*,;]+(?:\s|$|[)\]}.:*])|[)\]}.:*,;]*$)/iu

/** A second option after the first: whoever names two has not chosen. */
const ANOTHER =
  /^\s*(?:(?:,|;|\||or\b|and\b|\/|&|\+)[\s*]*[([]?[A-Za-z][)\]]?(?![\p{L}\p{N}'])|[([][A-Za-z][)\]]|[A-Za-z][)\]])/iu

/** Reads the letter of an option: `B`, `(b)`, `B.`, `**B**`, `\text{(B)}`, `B) because …`; null where the text names none, or two. */
export const optionOf = (text: string): string | null => {
  const start = text
    .trim()
    .replace(/^\$([^$]{0,40})\$/, "$1")
    .slice(0, 256)
  const match = OPTION.exec(start)
  const letter = match?.[1]
  if (match === null || letter === undefined) return null
  const after = start
    .slice(start.indexOf(letter, match[0].lastIndexOf(letter)) + 1)
    .replace(/^[)\]}.:*\s]+(?=[,;|/&+([]|or\b|and\b|[A-Za-z][)\]])/i, "")
  return ANOTHER.test(after) ? null : letter.toUpperCase()
}

/** Compares the letters of options; case does not count. Unscored where the truth names no option. */
export const choice = (answer: string | null, gold: string): Accuracy => {
  const truth = optionOf(gold)
  if (truth === null) return { kind: "unscored", reason: "gold_unreadable" }
  return { kind: "scored", value: answer !== null && optionOf(answer) === truth ? 1 : 0 }
}
