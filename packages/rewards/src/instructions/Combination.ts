/** `combination:` the prompt repeated before the answer, and two different answers. */
import * as Schema from "effect/Schema"
import { instruction, None } from "./Instruction.ts"

/** The response begins with the prompt, word for word; case does not count. */
export const repeatPrompt = instruction(
  "combination:repeat_prompt",
  Schema.Struct({ prompt_to_repeat: Schema.NonEmptyString }),
  ({ prompt_to_repeat }) =>
    (response) =>
      response.trim().toLowerCase().startsWith(prompt_to_repeat.trim().toLowerCase())
)

/** Exactly two answers with `******` between them, not the same; a divider may also stand before the first or after the last. */
export const twoResponses = instruction("combination:two_responses", None, () => (response) => {
  const parts = response.split("******").map((part) => part.trim())
  if (parts.slice(1, -1).includes("")) return false
  const [first, second, ...more] = parts.filter((part) => part !== "")
  return second !== undefined && more.length === 0 && first !== second
})

export const combination = [repeatPrompt, twoResponses]
