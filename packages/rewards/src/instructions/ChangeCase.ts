/** `change_case:` upper and lower case. */
import * as Schema from "effect/Schema"
import { tokens } from "./Counting.ts"
import { holds, instruction, None, Relation } from "./Instruction.ts"
import { isEnglish } from "./Language.ts"

const isUpper = (text: string): boolean => text === text.toUpperCase() && text !== text.toLowerCase()
const isLower = (text: string): boolean => text === text.toLowerCase() && text !== text.toUpperCase()

/** So many words are written in capitals throughout; "I" and "A" are such words. */
export const capitalWordFrequency = instruction(
  "change_case:capital_word_frequency",
  Schema.Struct({ capital_frequency: Schema.Int, capital_relation: Relation }),
  ({ capital_frequency, capital_relation }) =>
    (response) =>
      holds(tokens(response).filter(isUpper).length, capital_relation, capital_frequency)
)

/** English, without a small letter. */
export const englishCapital = instruction(
  "change_case:english_capital",
  None,
  () => (response) => isUpper(response) && isEnglish(response)
)

/** English, without a capital letter. */
export const englishLowercase = instruction(
  "change_case:english_lowercase",
  None,
  () => (response) => isLower(response) && isEnglish(response)
)

export const changeCase = [capitalWordFrequency, englishCapital, englishLowercase]
