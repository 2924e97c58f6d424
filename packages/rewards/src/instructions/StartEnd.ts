/** `startend:` how a response begins and ends. */
import * as Schema from "effect/Schema"
import { instruction, None } from "./Instruction.ts"

/** The response ends with the phrase; quotes around the whole response and case do not count. */
export const endChecker = instruction(
  "startend:end_checker",
  Schema.Struct({ end_phrase: Schema.NonEmptyString }),
  ({ end_phrase }) =>
    (response) =>
      response
        .trim()
        .replace(/"{1,8}$/, "")
        .toLowerCase()
        .endsWith(end_phrase.trim().toLowerCase())
)

/** The whole response stands in double quotation marks. */
export const quotation = instruction("startend:quotation", None, () => (response) => {
  const text = response.trim()
  return text.length > 1 && text.startsWith('"') && text.endsWith('"')
})

export const startEnd = [endChecker, quotation]
