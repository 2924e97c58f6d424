/** `keywords:` words and letters that must, or must not, appear. Case does not count. */
import * as Schema from "effect/Schema"
import { holds, instruction, Relation } from "./Instruction.ts"

const Words = Schema.NonEmptyArray(Schema.NonEmptyString)

/** How often a text is part of another, without overlaps. */
const occurrences = (text: string, part: string): number => text.split(part).length - 1

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`)

/** Says whether a word stands in a text with no letter, digit or underscore touching it. */
const hasWord = (text: string, word: string): boolean =>
  new RegExp(String.raw`(?<![\p{L}\p{M}\p{N}_])${escaped(word)}(?![\p{L}\p{M}\p{N}_])`, "iu").test(text)

/** Every keyword appears somewhere, also as part of a word. */
export const existence = instruction("keywords:existence", Schema.Struct({ keywords: Words }), ({ keywords }) => {
  const wanted = keywords.map((keyword) => keyword.toLowerCase())
  return (response) => {
    const text = response.toLowerCase()
    return wanted.every((keyword) => text.includes(keyword))
  }
})

/** No forbidden word appears as a word of its own. */
export const forbiddenWords = instruction(
  "keywords:forbidden_words",
  Schema.Struct({ forbidden_words: Words }),
  ({ forbidden_words }) =>
    (response) =>
      !forbidden_words.some((word) => hasWord(response, word))
)

/** The keyword appears fewer times than, or at least as often as, a number; also as part of a word. */
export const frequency = instruction(
  "keywords:frequency",
  Schema.Struct({ keyword: Schema.NonEmptyString, frequency: Schema.Int, relation: Relation }),
  ({ keyword, frequency: bound, relation }) =>
    (response) =>
      holds(occurrences(response.toLowerCase(), keyword.trim().toLowerCase()), relation, bound)
)

/** The same for a single character. */
export const letterFrequency = instruction(
  "keywords:letter_frequency",
  Schema.Struct({ letter: Schema.NonEmptyString, let_frequency: Schema.Int, let_relation: Relation }),
  ({ letter, let_frequency, let_relation }) =>
    (response) =>
      holds(occurrences(response.toLowerCase(), letter.toLowerCase()), let_relation, let_frequency)
)

export const keywords = [existence, forbiddenWords, frequency, letterFrequency]
