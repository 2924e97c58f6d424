/** `detectable_content:` placeholders in square brackets, and a postscript. */
import * as Schema from "effect/Schema"
import { instruction } from "./Instruction.ts"

/** Counts `[…]` inside single lines, each from its opening bracket to the next closing one. */
const placeholders = (text: string): number => {
  let count = 0
  for (const line of text.split("\n")) {
    for (let open = line.indexOf("["); open >= 0;) {
      const close = line.indexOf("]", open + 1)
      if (close < 0) break
      count++
      open = line.indexOf("[", close + 1)
    }
  }
  return count
}

/** At least so many placeholders. */
export const numberPlaceholders = instruction(
  "detectable_content:number_placeholders",
  Schema.Struct({ num_placeholders: Schema.Int }),
  ({ num_placeholders }) =>
    (response) =>
      placeholders(response) >= num_placeholders
)

/** Points and spaces between the letters of "P.S." are written in several ways. */
const postscriptPattern = (marker: string): RegExp | undefined => {
  if (/^p\.?\s?p\.?\s?s\.?$/i.test(marker)) return /p\.\s?p\.\s?s/i
  return /^p\.?\s?s\.?$/i.test(marker) ? /p\.\s?s\./i : undefined
}

/** There is a postscript that begins with the marker. */
export const postscript = instruction(
  "detectable_content:postscript",
  Schema.Struct({ postscript_marker: Schema.NonEmptyString }),
  ({ postscript_marker }) => {
    const marker = postscript_marker.trim().toLowerCase()
    const pattern = postscriptPattern(marker)
    return (response) => (pattern === undefined ? response.toLowerCase().includes(marker) : pattern.test(response))
  }
)

export const detectableContent = [numberPlaceholders, postscript]
