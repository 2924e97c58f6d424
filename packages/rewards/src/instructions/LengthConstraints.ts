/** `length_constraints:` numbers of words, sentences and paragraphs. */
import * as Schema from "effect/Schema"
import { sentences, words } from "./Counting.ts"
import { holds, instruction, Relation } from "./Instruction.ts"

/** Words as `words` counts them. */
export const numberWords = instruction(
  "length_constraints:number_words",
  Schema.Struct({ num_words: Schema.Int, relation: Relation }),
  ({ num_words, relation }) =>
    (response) =>
      holds(words(response).length, relation, num_words)
)

/** Sentences as `sentences` counts them. */
export const numberSentences = instruction(
  "length_constraints:number_sentences",
  Schema.Struct({ num_sentences: Schema.Int, relation: Relation }),
  ({ num_sentences, relation }) =>
    (response) =>
      holds(sentences(response).length, relation, num_sentences)
)

/** Exactly so many paragraphs with `***` between them; none between two dividers is empty. */
export const numberParagraphs = instruction(
  "length_constraints:number_paragraphs",
  Schema.Struct({ num_paragraphs: Schema.Int }),
  ({ num_paragraphs }) =>
    (response) => {
      const parts = response.split("***").map((part) => part.trim())
      const isBlank = (part: string) => part === ""
      return !parts.slice(1, -1).some(isBlank) && parts.filter((part) => !isBlank(part)).length === num_paragraphs
    }
)

/** The first word of a paragraph: up to white space or closing punctuation, without quotes before it, in lower case. */
const firstWord = (paragraph: string): string =>
  /^["'“‘*]*([^\s.,?!'"”’*:;]*)/u.exec(paragraph)?.[1]?.toLowerCase() ?? ""

/** Exactly so many paragraphs with an empty line between them, and the n-th (from 1) begins with a word. */
export const nthParagraphFirstWord = instruction(
  "length_constraints:nth_paragraph_first_word",
  Schema.Struct({ num_paragraphs: Schema.Int, nth_paragraph: Schema.Int, first_word: Schema.NonEmptyString }),
  ({ num_paragraphs, nth_paragraph, first_word }) =>
    (response) => {
      const paragraphs = response
        .split("\n\n")
        .map((part) => part.trim())
        .filter((part) => part !== "")
      const wanted = paragraphs[nth_paragraph - 1]
      return (
        paragraphs.length === num_paragraphs && wanted !== undefined && firstWord(wanted) === first_word.toLowerCase()
      )
    }
)

export const lengthConstraints = [numberWords, numberSentences, numberParagraphs, nthParagraphFirstWord]
