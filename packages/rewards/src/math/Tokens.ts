/** From a normalised text to tokens. Words that are prose become `text` tokens, so that a sentence is never read as a product of letters. */
import { MAX_CHARACTERS, MAX_TOKENS, refuse } from "./Limits.ts"

export interface Token {
  /** `number`, `letter`, `word` (a known function name), `command` (without its backslash), `text`, or the sign itself for `sign`. */
  readonly kind: "number" | "letter" | "word" | "command" | "text" | "sign"
  readonly text: string
  /** True when white space stands before it. */
  readonly spaced: boolean
}

export const FUNCTIONS: ReadonlySet<string> = new Set(
  "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth asin acos atan ln log lg exp sqrt abs max min gcd lcm floor ceil binom det".split(
    " "
  )
)
const NAMED: Readonly<Record<string, string>> = { pi: "pi", infinity: "infty", inf: "infty", oo: "infty" }
/** Short words that are English and no product of variables. */
const PROSE = new Set(
  "and or the is are if in of on no not yes odd even all any none for to by at as it so we he she a an".split(" ")
)
const UNITS = new Set(
  "cm mm km kg mg lb lbs oz ft in mi hr hrs sec min mph kph kmh ml sq yd yds gal am pm rad deg mol hz kw mw pt qt ms usd eur".split(
    " "
  )
)

const ATOM =
  /(?<space>\s*)(?:(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3}(?![\d.]))?|\.\d+)|\\text\{(?<text>[^{}]*)\}|\\(?<command>[a-zA-Z]+|\\|[{}|])|(?<word>[A-Za-z]{2,})|(?<letter>\p{L})|(?<sign><=|>=|!=|\.\.+|[^\s]))/guy

const COMMANDS: Readonly<Record<string, string>> = {
  leq: "le",
  leqslant: "le",
  geq: "ge",
  geqslant: "ge",
  neq: "ne",
  lt: "<",
  gt: ">",
  dots: "ldots",
  cdots: "ldots",
  varnothing: "emptyset",
  lbrace: "{",
  rbrace: "}",
  lvert: "|",
  rvert: "|",
  vert: "|",
  mid: "|",
  lbrack: "[",
  rbrack: "]",
  backslash: "setminus",
  div: "/",
  ast: "*",
  varphi: "phi",
  vartheta: "theta",
  varepsilon: "epsilon",
  land: "and",
  lor: "or",
  iff: "and",
  to: "rightarrow",
  colon: ":",
  implies: "rightarrow"
}
const SIGNS: Readonly<Record<string, string>> = { "<=": "le", ">=": "ge", "!=": "ne" }

const ofWord = (word: string, spaced: boolean): ReadonlyArray<Token> => {
  const lower = word.toLowerCase()
  const named = NAMED[lower]
  if (named !== undefined) return [{ kind: "command", text: named, spaced }]
  if (FUNCTIONS.has(lower)) return [{ kind: "word", text: lower, spaced }]
  const capitals = word === word.toUpperCase()
  if (PROSE.has(lower) && !capitals) return [{ kind: "text", text: lower, spaced }]
  if (UNITS.has(lower) && !capitals) return [{ kind: "text", text: lower, spaced }]
  if (word.length > 3 && !(capitals && word.length < 6)) return [{ kind: "text", text: word, spaced }]
  return [...word].map((letter, i) => ({ kind: "letter" as const, text: letter, spaced: spaced && i === 0 }))
}

const ofCommand = (command: string, spaced: boolean): Token => {
  const text = COMMANDS[command] ?? command
  if (FUNCTIONS.has(text)) return { kind: "word", text, spaced }
  return /^[a-zA-Z]/.test(text) || text === "{" || text === "}" || text === "\\"
    ? { kind: "command", text, spaced }
    : { kind: "sign", text, spaced }
}

const ofText = (text: string, spaced: boolean): ReadonlyArray<Token> => {
  const bare = text.trim()
  return bare === "" ? [] : [{ kind: "text", text: bare, spaced }]
}

/** Cuts a normalised text into tokens. Throws `NotAValue` beyond the limits. */
export const tokens = (text: string): ReadonlyArray<Token> => {
  if (text.length > MAX_CHARACTERS) return refuse("too long")
  const found: Array<Token> = []
  for (const match of text.matchAll(ATOM)) {
    const groups = match.groups ?? {}
    const spaced = groups["space"] !== ""
    if (groups["number"] !== undefined) found.push({ kind: "number", text: groups["number"], spaced })
    else if (groups["text"] !== undefined) found.push(...ofText(groups["text"], spaced))
    else if (groups["command"] !== undefined) found.push(ofCommand(groups["command"], spaced))
    else if (groups["word"] !== undefined) found.push(...ofWord(groups["word"], spaced))
    else if (groups["letter"] !== undefined) found.push({ kind: "letter", text: groups["letter"], spaced })
    else if (groups["sign"] !== undefined) {
      const sign = SIGNS[groups["sign"]]
      found.push(
        sign === undefined ? { kind: "sign", text: groups["sign"], spaced } : { kind: "command", text: sign, spaced }
      )
    }
    if (found.length > MAX_TOKENS) return refuse("too many tokens")
  }
  return found
}

/** Writes tokens without white space: the form in which two texts are the same. */
export const written = (list: ReadonlyArray<Token>): string =>
  list
    .map(({ kind, text }) =>
      kind === "text" ? `"${text.toLowerCase().replaceAll(/\s+/g, " ")}"` : kind === "command" ? `\\${text} ` : text
    )
    .join("")

const OPENING = new Set(["(", "["])
const CLOSING = new Set([")", "]"])

/** How much a token changes the nesting: brackets of any kind, braces, and the two ends of an environment. */
export const nesting = ({ kind, text }: Token): -1 | 0 | 1 => {
  if (kind === "sign") {
    if (OPENING.has(text) || text === "{") return 1
    return CLOSING.has(text) || text === "}" ? -1 : 0
  }
  if (kind !== "command") return 0
  if (text === "{" || text === "begin" || text === "langle" || text === "lfloor" || text === "lceil") return 1
  return text === "}" || text === "end" || text === "rangle" || text === "rfloor" || text === "rceil" ? -1 : 0
}

/** Splits at every token outside of all brackets for which `separates` holds; the separators are left out. */
export const splitAt = (
  list: ReadonlyArray<Token>,
  separates: (token: Token, index: number) => boolean
): ReadonlyArray<ReadonlyArray<Token>> => {
  const parts: Array<ReadonlyArray<Token>> = []
  let depth = 0
  let from = 0
  for (const [i, token] of list.entries()) {
    depth += nesting(token)
    if (depth === 0 && nesting(token) === 0 && separates(token, i)) {
      parts.push(list.slice(from, i))
      from = i + 1
    }
  }
  return [...parts, list.slice(from)]
}

/** Index of the token that closes the bracket at the start, or -1. */
export const closing = (list: ReadonlyArray<Token>): number => {
  let depth = 0
  for (const [i, token] of list.entries()) {
    depth += nesting(token)
    if (depth === 0) return i
  }
  return -1
}
