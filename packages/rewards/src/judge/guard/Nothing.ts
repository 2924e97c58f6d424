/** Answers without content: empty, punctuation, wrapping around nothing, pictures. */
import { bare } from "./Bare.ts"

/** A letter, a digit, or a symbol outside ASCII (∞, ☆): something that could be an answer. */
const CONTENT = /[\p{L}\p{N}]|(?![\p{ASCII}])\p{S}/u
const PICTURES = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|[√∎□■✓✔✗]|\u200d|\ufe0f|\u20e3/gu

/** Says whether an answer is empty, or only punctuation and pictures while the truth is not. */
export const saysNothing = (answer: string, gold: string): boolean => {
  const said = bare(answer)
  if (answer.trim() === "") return true
  if (!CONTENT.test(said)) return CONTENT.test(gold)
  const withoutPictures = said.replace(PICTURES, "")
  return !CONTENT.test(withoutPictures) && CONTENT.test(gold.replace(PICTURES, ""))
}

const PLACEHOLDERS = new Set([
  "null",
  "none",
  "nil",
  "nan",
  "undefined",
  "void",
  "n/a",
  "na",
  "tbd",
  "todo",
  "placeholder",
  "[object object]",
  "error",
  "empty",
  "unknown"
])
/** Truths that such a word may state. */
const ABSENCE =
  /\b(?:no|none|not|nil|null|nan|void|zero|nothing|never|nobody|empty|undefined|unknown|error|todo)\b|^\s*\$?0\$?\s*$|emptyset|varnothing|∅/i

/** Says whether a truth is that there is nothing. */
export const isAbsence = (gold: string): boolean => ABSENCE.test(bare(gold))

/** Says whether an answer is a programme's word for no value, while the truth is a value. */
export const isPlaceholder = (answer: string, gold: string): boolean =>
  PLACEHOLDERS.has(
    bare(answer)
      .toLowerCase()
      .replace(/[.!:]+$/, "")
  ) && !isAbsence(gold)
