/** Finds the mathematical answer of a text that need not mark it: a box, an answer tag, "the answer is", or the last formula or number. */
import type { Value } from "../math/Value.ts"
import { readAnswer } from "../math/Equivalent.ts"
import { hasBox, lastBoxes } from "./Boxed.ts"
import { answerTags } from "./Marked.ts"

/** Only so many characters at the end are searched for boxes and tags, and fewer for formulas and numbers. */
const SEARCHED_FOR_MARKS = 100_000
const SEARCHED = 8_192
/** A longer text is a solution and is not read as one formula. */
const MAX_WHOLE = 400

const isFormula = (value: Value): boolean => {
  switch (value.kind) {
    case "text":
      return false
    case "list":
    case "set":
    case "bracket":
      return value.items.every(isFormula)
    case "relation":
      return value.sides.every(isFormula)
    case "union":
      return value.parts.every(isFormula)
    default:
      return true
  }
}

/** Says whether a text is a formula from its beginning to its end. */
const isWhole = (text: string): boolean => text.length <= MAX_WHOLE && readAnswer(text).values.some(isFormula)

const STATED = /\b(?:final answer|answer)\b[^.\n:$]{0,24}?(?:\bis\b|:|=)\s*:?/gi
const SENTENCE_END = /\n|\.(?=\s+(?:[A-Z]|I hope)|\s*$)|<\|/

/** What is said after the last "answer is" or "answer:", up to the end of its sentence. */
const lastStated = (text: string): string | null => {
  const match = [...text.matchAll(STATED)].at(-1)
  if (match === undefined) return null
  const after = text.slice(match.index + match[0].length).trimStart()
  const end = SENTENCE_END.exec(after)?.index ?? after.length
  return after.slice(0, end).trim()
}

interface Found {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly formula: boolean
}

const FORMULA =
  /\$\$([^$]{1,2000})\$\$|(?<!\\)\$([^$]{1,2000}?)(?<!\\)\$|\\\[((?:(?!\\\]|\\\[)[^]){1,2000})\\\]|\\\(((?:(?!\\\)|\\\()[^]){1,2000})\\\)/g
const NUMBER =
  /(?<![\p{L}\p{N}_.]|\d,)(?<!\p{L}\()(?:(?<![\p{N})\]}])[-+−])?[$€£]?\d+(?:[.,]\d+)*(?:\/\d+)?(?![\p{N}_]|\.\.|[.,]\d|\/\d|\^)/gu
const SUFFIX = /^\s?(?:\\?%|percent\b|pct\b|°|\^\{?\\circ\}?)/i

const withSuffix = (text: string, found: Found): Found => {
  const suffix = SUFFIX.exec(text.slice(found.end, found.end + 12))?.[0]
  return suffix === undefined ? found : { ...found, end: found.end + suffix.length, text: `${found.text}${suffix}` }
}

/** Formulas between signs, and numbers outside of them, in order. */
const candidates = (text: string): ReadonlyArray<Found> => {
  const formulas = [...text.matchAll(FORMULA)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
    text: (match[1] ?? match[2] ?? match[3] ?? match[4] ?? "").trim(),
    formula: true
  }))
  const covered = (at: number) => formulas.some(({ start, end }) => at >= start && at < end)
  const numbers = [...text.matchAll(NUMBER)]
    .filter((match) => !covered(match.index))
    .map((match) => ({ start: match.index, end: match.index + match[0].length, text: match[0], formula: false }))
  return [...formulas, ...numbers].toSorted((a, b) => a.start - b.start).map((found) => withSuffix(text, found))
}

const JOINS = /^\s*,?\s*(?:and|or)\s*$/i
const COMMA = /^\s*,\s*$/

/** Takes the last candidate with those that "and" and "or" join to it; nothing where an "or" before it has no other side. */
const lastCandidate = (text: string): string | null => {
  const found = candidates(text)
  const joined: Array<string> = []
  let joins = false
  for (let i = found.length - 1; i >= 0; i--) {
    const [one, next] = [found[i], found[i + 1]]
    if (one === undefined) break
    const between = next === undefined ? "" : text.slice(one.end, next.start)
    const beside =
      next === undefined || JOINS.test(between) || (COMMA.test(between) && (joins || (one.formula && next.formula)))
    if (!beside) break
    joins ||= JOINS.test(between)
    joined.unshift(next === undefined ? one.text : `${one.text}${/or/i.test(between) ? " or " : ", "}`)
  }
  const first = found[found.length - joined.length]
  if (first === undefined || /\b(?:or|one of|not)\s*$/i.test(text.slice(0, first.start))) return null
  return joined.join("")
}

const inSegment = (segment: string): string | null => (isWhole(segment) ? segment : lastCandidate(segment))

/** Takes the answer of a text that is a formula, or that states one in prose. Null where it has none, or states several. */
export const mathLast = (whole: string): string | null => {
  const text = whole.slice(-SEARCHED_FOR_MARKS)
  if (hasBox(text)) return lastBoxes(text)
  const tags = answerTags(text)
  if (tags.length > 0) return tags.every((tag) => tag === tags[0]) ? (tags[0] ?? null) : null
  const tail = text.length > SEARCHED ? text.slice(-SEARCHED).replace(/^\S*/, "") : text
  const stated = lastStated(tail)
  const said = stated === null || stated === "" ? null : inSegment(stated)
  return said ?? (isWhole(tail) ? tail : lastCandidate(tail))
}
