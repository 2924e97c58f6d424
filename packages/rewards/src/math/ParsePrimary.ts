/** Reads what an expression is made of: numbers, symbols, brackets, fractions, roots, functions, sums and integrals. */
import type { Cursor } from "./Cursor.ts"
import { decimal, type Expression } from "./Expression.ts"
import { refuse } from "./Limits.ts"
import { parsePower, parseSum } from "./Parse.ts"
import { parseBound, startsBound } from "./ParseBound.ts"

const CONSTANTS: Readonly<Record<string, "pi" | "e" | "i" | "infinity">> = { e: "e", i: "i" }
const GREEK = new Set(
  "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell hbar emptyset".split(
    " "
  )
)
/** Letters that name a function when an argument in parentheses touches them. */
const FUNCTION_LETTERS = new Set(["f", "g", "F", "G", "P"])
/** Marks over or before letters that name one thing together, such as the segment AB. */
const NAMING = new Set([
  "overline",
  "overrightarrow",
  "vec",
  "hat",
  "bar",
  "tilde",
  "widehat",
  "angle",
  "triangle",
  "measuredangle"
])
const STARTING = new Set(["frac", "sqrt", "binom", "tbinom", "dbinom", "pi", "infty", "lfloor", "lceil"])

/** Says whether a factor can begin here without a sign of multiplication before it. */
export const startsPrimary = (cursor: Cursor): boolean => {
  const token = cursor.peek()
  if (token === undefined) return false
  if (token.kind === "number" || token.kind === "letter" || token.kind === "word") return true
  if (token.kind === "sign") return token.text === "(" || token.text === "{" || token.text === "["
  return (
    token.kind === "command" &&
    (STARTING.has(token.text) || GREEK.has(token.text) || NAMING.has(token.text) || startsBound(token.text))
  )
}

/** Reads one primary. Refuses where none begins. */
export const primary = (cursor: Cursor): Expression => {
  const token = cursor.next()
  switch (token.kind) {
    case "number":
      return withIndex(cursor, decimal(token.text))
    case "letter":
      return letter(cursor, token.text)
    case "word":
      return call(cursor, token.text)
    case "text":
      return refuse("prose")
    case "sign":
      return bracket(cursor, token.text)
    case "command":
      return command(cursor, token.text)
  }
}

const CLOSERS: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}", "|": "|" }

const bracket = (cursor: Cursor, open: string): Expression => {
  const close = CLOSERS[open]
  if (close === undefined) return refuse(`${open} begins nothing`)
  const inside = parseSum(cursor)
  cursor.expect(close)
  return open === "|" ? { kind: "call", name: "abs", of: [inside] } : inside
}

const letter = (cursor: Cursor, name: string): Expression => {
  const primes = takePrimes(cursor)
  const constant = CONSTANTS[name]
  if (constant !== undefined && primes === "" && !cursor.is("_")) return { kind: "constant", name: constant }
  if (FUNCTION_LETTERS.has(name) && cursor.is("(") && cursor.peek()?.spaced === false) {
    return { kind: "opaque", name: `${name}${primes}()`, of: argumentList(cursor) }
  }
  return withIndex(cursor, { kind: "symbol", name: `${name}${primes}` })
}

const takePrimes = (cursor: Cursor): string => {
  let primes = ""
  while (cursor.take("'") || cursor.take("prime")) primes += "'"
  return primes
}

/** A subscript makes another symbol of a symbol (an index may be an expression), and of digits a numeral in that base. */
const withIndex = (cursor: Cursor, base: Expression): Expression => {
  if (!cursor.take("_")) return base
  const index = cursor.deeper(() => scriptOf(cursor))
  if (base.kind === "symbol") return { kind: "opaque", name: `${base.name}_`, of: [index] }
  return base.kind === "number" ? inBase(base, index) : refuse("subscript")
}

/** A numeral in a base is its own thing: 52_8 is no answer where 42 is asked for, nor the other way round. */
const inBase = (digits: Expression & { kind: "number" }, base: Expression): Expression =>
  digits.places === null ? { kind: "opaque", name: "numeral", of: [digits, base] } : refuse("base")

/** A subscript: a group, whose words and lists count as one name, or a single primary. */
const scriptOf = (cursor: Cursor): Expression => {
  if (!cursor.take("{")) return single(cursor)
  if (cursor.peek()?.kind === "text") {
    const name = cursor.next().text
    cursor.expect("}")
    return { kind: "symbol", name }
  }
  const inside = parseSum(cursor)
  const listed = [inside]
  while (cursor.take(",")) listed.push(parseSum(cursor))
  cursor.expect("}")
  return listed.length === 1 ? inside : { kind: "opaque", name: "indices", of: listed }
}

const argumentList = (cursor: Cursor): ReadonlyArray<Expression> => {
  cursor.expect("(")
  const of = [parseSum(cursor)]
  while (cursor.take(",")) of.push(parseSum(cursor))
  cursor.expect(")")
  return of
}

/** One digit, letter, group or command: what TeX takes as an argument without braces (`\frac12` is one half). */
const single = (cursor: Cursor): Expression => cursor.deeper(() => primary(cursor))

const command = (cursor: Cursor, name: string): Expression => {
  switch (name) {
    case "pi":
      return { kind: "constant", name: "pi" }
    case "infty":
      return { kind: "constant", name: "infinity" }
    case "frac":
      return { kind: "quotient", left: single(cursor), right: single(cursor) }
    case "binom":
    case "dbinom":
    case "tbinom":
      return { kind: "call", name: "binom", of: [single(cursor), single(cursor)] }
    case "lfloor":
    case "lceil": {
      const inside = parseSum(cursor)
      cursor.expect(name === "lfloor" ? "rfloor" : "rceil")
      return { kind: "call", name: name === "lfloor" ? "floor" : "ceil", of: [inside] }
    }
  }
  if (startsBound(name)) return parseBound(cursor, name)
  if (NAMING.has(name)) return { kind: "opaque", name, of: [factors(cursor)] }
  if (GREEK.has(name)) return withIndex(cursor, { kind: "symbol", name })
  return refuse(`\\${name}`)
}

const call = (cursor: Cursor, written: string): Expression => {
  const name =
    written.startsWith("a") && written.length === 4 && written !== "acot" ? `arc${written.slice(1)}` : written
  if (name === "sqrt") return root(cursor)
  if (name === "binom")
    return { kind: "call", name, of: cursor.is("{") ? [single(cursor), single(cursor)] : argumentList(cursor) }
  const base = cursor.take("_") ? [scriptOf(cursor)] : []
  const power = cursor.take("^") ? scriptOf(cursor) : undefined
  const of = cursor.is("(") ? argumentList(cursor) : [factors(cursor)]
  const inverse = power?.kind === "negative" && name.length === 3 && name !== "log"
  const value: Expression = { kind: "call", name: inverse ? `arc${name}` : name, of: [...of, ...base] }
  return power === undefined || inverse ? value : { kind: "power", left: value, right: power }
}

const root = (cursor: Cursor): Expression => {
  if (!cursor.take("[")) return { kind: "call", name: "sqrt", of: [single(cursor)] }
  const degree = parseSum(cursor)
  cursor.expect("]")
  return { kind: "call", name: "root", of: [single(cursor), degree] }
}

/** The argument of a function without parentheses: the factors beside each other up to the next sign or function. */
const factors = (cursor: Cursor): Expression =>
  cursor.deeper(() => {
    const terms = [parsePower(cursor)]
    while (startsPrimary(cursor) && cursor.peek()?.kind !== "word" && !cursor.is("(")) terms.push(parsePower(cursor))
    return terms.length === 1 ? (terms[0] ?? refuse("no argument")) : { kind: "product", terms }
  })
