/**
 * Says whether two answers are mathematically the same. Symmetrical, reflexive for every text that is not blank, and never executing what it
 * reads: a text is cut into tokens, read into a value, and values are compared, each within fixed limits.
 */
import { compare } from "./Compare.ts"
import { MAX_CHARACTERS, NotAValue } from "./Limits.ts"
import { spell, ungrouped } from "./Normalise.ts"
import { read } from "./Read.ts"
import { tokens, written } from "./Tokens.ts"
import type { Value } from "./Value.ts"

/** A text with the values that it can be read as: more than one where a comma can be a separator or a decimal sign. */
export interface Answer {
  readonly text: string
  readonly written: string
  readonly values: ReadonlyArray<Value>
}

const orNothing = <A>(work: () => A): ReadonlyArray<A> => {
  try {
    return [work()]
  } catch (error) {
    if (error instanceof NotAValue || error instanceof RangeError) return []
    throw error
  }
}

const GROUPED = /^\d{1,3}(?:,\d{3})+$/
/** A number and, after a space, letters that name a unit: `5 m`, `5 m/s`. */
const UNIT_LETTERS =
  /^([+-]?[\d.,]+) ((?:[mgshNJWVAKL]|km|cm|mm|kg)(?:\/(?:[mgshL]|min|cm|kg))?(?:\^(?:\{?-?[23]\}?))?)$/
const DECIMAL_COMMA = /^([+-]?\d+),(\d{1,2}|\d{4,})$/

/** Other texts that the writer may have meant by the same signs. */
const otherSpellings = (text: string): ReadonlyArray<string> => {
  if (GROUPED.test(text)) return [text.replaceAll(",", ", ")]
  if (/^(?:\\text\{\s*)?all (?:real numbers|reals)\s*\}?$/i.test(text)) return ["R", "(-\\infty, \\infty)"]
  const unit = UNIT_LETTERS.exec(text)
  if (unit !== null) return [`${unit[1]} \\text{${unit[2]}}`]
  const decimal = DECIMAL_COMMA.exec(text)
  return decimal === null ? [] : [`${decimal[1]}.${decimal[2]}`]
}

/** Reads an answer. A text that is no value, or passes a limit, has no values and equals only itself. */
export const readAnswer = (raw: string): Answer => {
  const text = raw.trim()
  if (text.length > MAX_CHARACTERS) return { text, written: text, values: [] }
  const asWritten = spell(text)
  const spelt = ungrouped(asWritten)
  const values = [spelt, ...otherSpellings(asWritten)].flatMap((one) => orNothing(() => read(tokens(one))))
  return { text, written: orNothing(() => written(tokens(spelt)))[0] ?? spelt, values }
}

/** Says whether two answers that were read are the same. A blank answer is not even itself. */
export const sameAnswer = (left: Answer, right: Answer): boolean => {
  if (left.written === "" || right.written === "") return false
  if (left.text === right.text || left.written === right.written) return true
  return left.values.some((a) => right.values.some((b) => orNothing(() => compare(a, b))[0] === true))
}

/** Says whether two texts are the same answer. */
export const equivalent = (left: string, right: string): boolean => sameAnswer(readAnswer(left), readAnswer(right))
