/** `detectable_format:` bullets, highlights, sections, titles, JSON, and answers from a fixed choice. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { instruction, None } from "./Instruction.ts"

const isBullet = (line: string): boolean => {
  const text = line.trimStart()
  return text.startsWith("-") || (text.startsWith("*") && text.length > 1 && text[1] !== "*")
}

/** Exactly so many lines that begin with `*` or `-`. */
export const numberBulletLists = instruction(
  "detectable_format:number_bullet_lists",
  Schema.Struct({ num_bullets: Schema.Int }),
  ({ num_bullets }) =>
    (response) =>
      response.split("\n").filter(isBullet).length === num_bullets
)

const ANSWERS = ["My answer is yes.", "My answer is no.", "My answer is maybe."]

/** One of the three answers stands in the response, letter for letter. */
export const constrainedResponse = instruction(
  "detectable_format:constrained_response",
  None,
  () => (response) => ANSWERS.some((answer) => response.includes(answer))
)

const HIGHLIGHT = /\*([^\n*]*)\*/g
const BOLD = /\*\*([^\n*]*)\*\*/g

/** Counts `*…*` and `**…**` with something inside. A bold part counts in the second form alone, since `*…*` finds nothing between its stars. */
const highlights = (text: string): number =>
  [...text.matchAll(HIGHLIGHT), ...text.matchAll(BOLD)].filter((match) => match[1]?.trim() !== "").length

/** At least so many highlighted parts. */
export const numberHighlightedSections = instruction(
  "detectable_format:number_highlighted_sections",
  Schema.Struct({ num_highlights: Schema.Int }),
  ({ num_highlights }) =>
    (response) =>
      highlights(response) >= num_highlights
)

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`)

/** At least so many headings of the splitter and a number, such as `SECTION 1`. */
export const multipleSections = instruction(
  "detectable_format:multiple_sections",
  Schema.Struct({ section_spliter: Schema.NonEmptyString, num_sections: Schema.Int }),
  ({ section_spliter, num_sections }) =>
    (response) =>
      (response.match(new RegExp(String.raw`${escaped(section_spliter.trim())}\s?\d+`, "gu")) ?? []).length >=
      num_sections
)

const readsAsJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))
const withoutFence = (text: string): string =>
  text
    .trim()
    .replace(/^```(?:json)?/i, "")
    .replace(/```$/, "")
    .trim()

/** The whole response is JSON, perhaps in a code fence. */
export const jsonFormat = instruction(
  "detectable_format:json_format",
  None,
  () => (response) => Option.isSome(readsAsJson(withoutFence(response)))
)

const hasTitle = (line: string): boolean => {
  const open = line.indexOf("<<")
  const close = line.lastIndexOf(">>")
  return open >= 0 && close > open && line.slice(open, close).replaceAll(/[<>\s]/g, "") !== ""
}

/** A line has a title in double angular brackets. */
export const title = instruction(
  "detectable_format:title",
  None,
  () => (response) => response.split("\n").some(hasTitle)
)

export const detectableFormat = [
  numberBulletLists,
  constrainedResponse,
  numberHighlightedSections,
  multipleSections,
  jsonFormat,
  title
]
