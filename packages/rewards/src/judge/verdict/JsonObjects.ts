/** JSON objects inside a text that is not JSON as a whole. */
import * as Predicate from "effect/Predicate"

export type JsonObject = Readonly<Record<string, unknown>>

/** Characters that may be read again for objects that are none: replies of nothing but braces must not cost time. */
const WASTED_CHARACTERS = 1_000_000
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/gs

/** Index after the brace that closes the one at `start`, or -1; braces inside strings are text. */
const closing = (text: string, start: number): number => {
  let depth = 0
  let quoted = false
  for (let i = start; i < text.length; i++) {
    const character = text[i]
    if (quoted) {
      if (character === "\\") i++
      else if (character === '"') quoted = false
    } else if (character === '"') quoted = true
    else if (character === "{") depth++
    else if (character === "}" && --depth === 0) return i + 1
  }
  return -1
}

/** Says whether an object's own keys are written once each: with `{"verdict": "no", "verdict": "yes"}` the parser would choose. */
const keysOnce = (source: string): boolean => {
  const tokens = [...source.matchAll(TOKENS)].map(([token]) => token)
  const seen = new Set<string>()
  let depth = 0
  return tokens.every((token, i) => {
    if (token === "{" || token === "[") depth++
    else if (token === "}" || token === "]") depth--
    else if (depth === 1 && tokens[i + 1] === ":" && token.startsWith('"')) {
      const key = String(JSON.parse(token))
      return !seen.has(key) && seen.add(key).size > 0
    }
    return true
  })
}

const parse = (source: string): JsonObject | undefined => {
  try {
    const value: unknown = JSON.parse(source)
    return Predicate.isObject(value) && !Array.isArray(value) && keysOnce(source) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** Finds the outermost objects of a text, in order. What is not JSON, or says a key twice, is passed over. */
export const jsonObjects = (text: string): ReadonlyArray<JsonObject> => {
  const found: Array<JsonObject> = []
  let wasted = 0
  for (let at = text.indexOf("{"); at >= 0 && wasted < WASTED_CHARACTERS;) {
    const end = closing(text, at)
    const object = end < 0 ? undefined : parse(text.slice(at, end))
    if (object === undefined) wasted += (end < 0 ? text.length : end) - at
    else found.push(object)
    at = text.indexOf("{", object === undefined ? at + 1 : end)
  }
  return found
}
