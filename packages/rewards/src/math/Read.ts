/** Reads the shape of an answer from its tokens: lists, relations, unions, brackets, sets, matrices, ratios, quantities, or words. */
import type { Expression } from "./Expression.ts"
import { MAX_ITEMS, MAX_DEPTH, NotAValue, refuse } from "./Limits.ts"
import { isMatrix, readMatrix } from "./Matrix.ts"
import { parse } from "./Parse.ts"
import { closing, splitAt, type Token, written } from "./Tokens.ts"
import { isMoney, unitOf } from "./Unit.ts"
import type { Relation, Value } from "./Value.ts"

type Tokens = ReadonlyArray<Token>

const RELATIONS: ReadonlySet<string> = new Set(["=", "<", ">", "le", "ge", "ne", "in", "equiv", "approx"])

const isSign = (token: Token | undefined, text: string): boolean => token?.kind === "sign" && token.text === text
const isCommand = (token: Token | undefined, text: string): boolean => token?.kind === "command" && token.text === text
const isRelation = ({ kind, text }: Token): boolean => (kind === "sign" || kind === "command") && RELATIONS.has(text)
const isJoiner = ({ kind, text }: Token): boolean =>
  (kind === "text" || kind === "command") && /^(?:and|or)$/i.test(text)
const separates = (token: Token): boolean => isSign(token, ",") || isSign(token, ";") || isJoiner(token)

const many = (list: ReadonlyArray<Tokens>): ReadonlyArray<Tokens> =>
  list.length > MAX_ITEMS ? refuse("too many items") : list

/** Opens groups that hold everything: `{…}`. */
const ungrouped = (list: Tokens): Tokens =>
  isSign(list[0], "{") && closing(list) === list.length - 1 && !splitsInside(list) ? ungrouped(list.slice(1, -1)) : list
const splitsInside = (list: Tokens): boolean => splitAt(list.slice(1, -1), separates).length > 1

/** Reads tokens as a value. Throws `NotAValue` past a limit. */
export const read = (tokens: Tokens, depth = 0): Value => {
  if (depth > MAX_DEPTH) return refuse("too deep")
  const list = ungrouped(tokens)
  const items = many(splitAt(list, separates).filter((item) => item.length > 0))
  if (items.length > 1) return readList(list, items, depth + 1)
  const [only = []] = items
  return only.length === list.length ? readRelation(only, depth + 1) : read(only, depth + 1)
}

const readList = (list: Tokens, items: ReadonlyArray<Tokens>, depth: number): Value => ({
  kind: "list",
  items: withoutDomains(items.map((item) => read(item, depth))),
  or: list.some((token) => isJoiner(token) && token.text.toLowerCase() === "or")
})

const NUMBER_SETS = new Set(["Z", "N", "R", "Q"])

/** `k ∈ ℤ` beside an answer with k says what k may be; it is no answer itself. */
const withoutDomains = (items: ReadonlyArray<Value>): ReadonlyArray<Value> => {
  const answers = items.filter(
    (item) =>
      !(
        item.kind === "relation" &&
        item.operators[0] === "in" &&
        item.sides.length === 2 &&
        item.sides[1]?.kind === "quantity" &&
        item.sides[1].expression.kind === "symbol" &&
        NUMBER_SETS.has(item.sides[1].expression.name)
      )
  )
  return answers.length === 0 ? items : answers
}

const readRelation = (list: Tokens, depth: number): Value => {
  const sides = splitAt(list, isRelation)
  if (sides.length === 1) return readUnion(list, depth)
  const operators = relationsOf(list)
  if (operators.length !== sides.length - 1 || sides.some((side) => side.length === 0)) return words(list)
  return { kind: "relation", operators, sides: many(sides).map((side) => application(side) ?? read(side, depth)) }
}

/** `p(x)` as one side of a relation: a function by whatever letter, not a product. */
const application = (side: Tokens): Value | null => {
  const [name, open, ...inside] = side
  const isCall = name?.kind === "letter" && isSign(open, "(") && isSign(inside.at(-1), ")")
  const of = inside.slice(0, -1).filter((token) => !isSign(token, ","))
  if (!isCall || name === undefined || of.length === 0 || of.some(({ kind }) => kind !== "letter")) return null
  const symbols = of.map(({ text }) => ({ kind: "symbol" as const, name: text }))
  return { kind: "quantity", expression: { kind: "opaque", name: `${name.text}()`, of: symbols }, unit: "" }
}

/** The relation signs outside of all brackets, in order. */
const relationsOf = (list: Tokens): ReadonlyArray<Relation> => {
  const found: Array<Relation> = []
  splitAt(list, (token) => {
    if (isRelation(token)) found.push(token.text as Relation)
    return false
  })
  return found
}

const readUnion = (list: Tokens, depth: number): Value => {
  const parts = splitAt(list, (token) => isCommand(token, "cup"))
  if (parts.length > 1) return { kind: "union", parts: many(parts).map((part) => read(part, depth)) }
  const [of = [], without] = splitAt(list, (token) => isCommand(token, "setminus"))
  if (without !== undefined) return { kind: "difference", of: read(of, depth), without: read(without, depth) }
  return readBracket(list, depth)
}

const OPEN = { "(": "(", "[": "[", langle: "(" } as const
const CLOSE = { ")": ")", "]": "]", rangle: ")" } as const

const readBracket = (list: Tokens, depth: number): Value => {
  const [first, last] = [list[0], list.at(-1)]
  if (first === undefined || last === undefined || list.length < 2 || closing(list) !== list.length - 1)
    return readPlain(list)
  const inside = list.slice(1, -1)
  const items = splitAt(inside, separates)
  const isSet = first.kind !== "letter" && first.text === "{" && last.text === "}"
  if (isSet && (isCommand(first, "{") || items.length > 1)) {
    return { kind: "set", items: many(items.filter((item) => item.length > 0)).map((item) => read(item, depth)) }
  }
  const open = OPEN[first.text as keyof typeof OPEN]
  const close = CLOSE[last.text as keyof typeof CLOSE]
  if (open === undefined || close === undefined) return readPlain(list)
  if (items.length > 1) return { kind: "bracket", open, close, items: many(items).map((item) => read(item, depth)) }
  const plain = readPlain(list)
  return plain.kind === "text" ? read(inside, depth) : plain
}

const readPlain = (list: Tokens): Value => {
  if (isMatrix(list)) return { kind: "matrix", rows: readMatrix(list) }
  const terms = splitAt(list, (token) => isSign(token, ":"))
  if (terms.length > 1) return readRatio(list, terms)
  return quantity(list) ?? words(list)
}

const CLOCK = /^(\d{1,2}):([0-5]\d)(?::([0-5]\d))?$/
const readRatio = (list: Tokens, terms: ReadonlyArray<Tokens>): Value => {
  const clock = CLOCK.exec(written(list))
  const read = terms.map((term) => quantity(term))
  if (read.some((term) => term === null || term.unit !== "")) return words(list)
  return {
    kind: "ratio",
    terms: read.flatMap((term): ReadonlyArray<Expression> => (term === null ? [] : [term.expression])),
    clock: clock === null ? null : `${Number(clock[1])}:${clock[2]}:${clock[3] ?? "00"}`
  }
}

/** Reads a formula with its unit; null where it is none. A number alone may have a unit of several words. */
const quantity = (list: Tokens): (Value & { kind: "quantity" }) | null => {
  const money = isMoney(list[0]) ? list.slice(0, 1) : []
  const start = list.slice(money.length)
  if (start.length === 0) return null
  try {
    const { expression, rest } = parse(start)
    const unit = unitOf([...rest, ...money])
    return unit === null ? null : { kind: "quantity", expression, unit }
  } catch (error) {
    if (error instanceof NotAValue) return null
    throw error
  }
}

const words = (list: Tokens): Value => ({
  kind: "text",
  text: list
    .map(({ text, spaced }) => (spaced ? ` ${text}` : text))
    .join("")
    .trim()
})
