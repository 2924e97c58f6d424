/**
 * Reads an expression from tokens by recursive descent: sums, products (also without a sign), quotients, powers, with the binding that
 * mathematicians use. It reads as far as the expression goes and leaves the rest, so that a unit may follow.
 */
import { Cursor } from "./Cursor.ts"
import { type Expression, whole } from "./Expression.ts"
import { refuse } from "./Limits.ts"
import { primary, startsPrimary } from "./ParsePrimary.ts"
import type { Token } from "./Tokens.ts"

export const parseSum = (cursor: Cursor): Expression =>
  cursor.deeper(() => {
    let left = signed(cursor)
    for (;;) {
      if (cursor.take("+")) left = { kind: "sum", terms: [left, parseProduct(cursor)] }
      else if (cursor.take("-")) left = { kind: "sum", terms: [left, { kind: "negative", of: parseProduct(cursor) }] }
      else if (cursor.take("pm")) left = { kind: "either", left, right: parseProduct(cursor), sign: 1 }
      else if (cursor.take("mp")) left = { kind: "either", left, right: parseProduct(cursor), sign: -1 }
      else return left
    }
  })

const signed = (cursor: Cursor): Expression => {
  if (cursor.take("+")) return parseProduct(cursor)
  if (cursor.take("pm")) return { kind: "either", left: whole(0), right: parseProduct(cursor), sign: 1 }
  return parseProduct(cursor)
}

const TIMES = ["*", "cdot", "times"] as const

const parseProduct = (cursor: Cursor): Expression => {
  let left = parseSigned(cursor)
  for (;;) {
    if (TIMES.some((sign) => cursor.take(sign))) left = { kind: "product", terms: [left, parseSigned(cursor)] }
    else if (cursor.take("/")) left = { kind: "quotient", left, right: parseSigned(cursor) }
    else if (startsPrimary(cursor)) left = beside(left, parsePower(cursor))
    else return left
  }
}

/** Two factors side by side: a product, but a whole number before a proper fraction of whole numbers is a mixed number. */
const beside = (left: Expression, right: Expression): Expression => {
  if (left.kind === "number" && right.kind === "number") return refuse("two numbers beside each other")
  if (left.kind === "negative" && isMixed(left.of, right)) {
    return { kind: "negative", of: { kind: "sum", terms: [left.of, right] } }
  }
  return isMixed(left, right) ? { kind: "sum", terms: [left, right] } : { kind: "product", terms: [left, right] }
}

const isMixed = (left: Expression, right: Expression): boolean =>
  left.kind === "number" &&
  left.places === null &&
  right.kind === "quotient" &&
  right.left.kind === "number" &&
  right.right.kind === "number" &&
  right.left.value.lt(right.right.value)

const parseSigned = (cursor: Cursor): Expression =>
  cursor.take("-")
    ? { kind: "negative", of: cursor.deeper(() => parseSigned(cursor)) }
    : cursor.take("+")
      ? cursor.deeper(() => parseSigned(cursor))
      : parsePower(cursor)

/** Reads a primary with what stands after it: powers (right to left), factorials, percent and degree signs. */
export const parsePower = (cursor: Cursor): Expression => {
  let base = primary(cursor)
  for (;;) {
    if (cursor.take("!")) base = { kind: "call", name: cursor.take("!") ? "doublefactorial" : "factorial", of: [base] }
    else if (cursor.take("%")) base = { kind: "percent", of: base }
    else if (cursor.take("degree")) base = { kind: "degrees", of: base }
    else if (cursor.take("^")) base = { kind: "power", left: base, right: cursor.deeper(() => exponent(cursor)) }
    else return base
  }
}

const exponent = (cursor: Cursor): Expression =>
  cursor.take("-") ? { kind: "negative", of: exponent(cursor) } : parsePower(cursor)

/** Reads a whole list of tokens as one expression, or as an expression and what is left after it. */
export const parse = (
  list: ReadonlyArray<Token>
): { readonly expression: Expression; readonly rest: ReadonlyArray<Token> } => {
  const cursor = new Cursor(list)
  const expression = parseSum(cursor)
  return { expression, rest: cursor.rest() }
}
