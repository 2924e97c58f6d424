/** Names before an answer: in `x = 5`, `f(2) = 5`, `|AB| = 5` and `(p, q) = (3, 2)` the answer is what stands after the sign. */
import { type Expression } from "./Expression.ts"
import { same, varies } from "./Same.ts"
import { plainWords, type Value } from "./Value.ts"

const MAX_NAME_WORDS = 4

const isLetters = (expression: Expression): boolean =>
  expression.kind === "product"
    ? expression.terms.every(isLetters)
    : expression.kind === "opaque" || (expression.kind === "symbol" && /^\p{Lu}/u.test(expression.name))

const isNaming = (expression: Expression): boolean => {
  switch (expression.kind) {
    case "symbol":
    case "opaque":
    case "bound":
      return true
    case "call":
      return varies(expression)
    case "product":
      return isLetters(expression)
    case "constant":
      return expression.name === "e" || expression.name === "i"
    default:
      return false
  }
}

const isName = (value: Value): boolean => {
  switch (value.kind) {
    case "quantity":
      return value.unit === "" && isNaming(value.expression)
    case "bracket":
    case "list":
      return value.items.every(isName)
    case "ratio":
      return value.terms.every(isNaming)
    case "text":
      return value.text.split(/\s+/).length <= MAX_NAME_WORDS && /^[\p{L}\s]+$/u.test(value.text)
    default:
      return false
  }
}

const nameOf = (value: Value): string => {
  const name = JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? String(part) : part))
  return value.kind === "text" ? plainWords(value.text) : name
}

/** A value without its name. Indexed names (x_1, x_2) share their `family`. */
export interface Named {
  readonly name: string | null
  readonly family: string | null
  readonly value: Value
}

const familyOf = (value: Value): string | null =>
  value.kind === "quantity" && value.expression.kind === "opaque" && value.expression.name.endsWith("_")
    ? value.expression.name
    : null

const isConstant = (value: Value | undefined): value is Value & { kind: "quantity" } =>
  value?.kind === "quantity" && !varies(value.expression)

/** Says whether every two neighbours of a chain of constants are equal: `28/100 = 0.28` is, `1 = 2 = 42` is not. */
const holds = (sides: ReadonlyArray<Value>): boolean =>
  sides.every((side, i) => {
    const before = sides[i - 1]
    return i === 0 || !isConstant(before) || !isConstant(side) || same(before.expression, side.expression)
  })

const named = (name: Value, value: Value): Named => ({ name: nameOf(name), family: familyOf(name), value })

/** What stands before an "approximately": the exact value. */
const before = ({ operators, sides }: Value & { kind: "relation" }, index: number): Value => {
  const kept = sides.slice(0, index + 1)
  const [only] = kept
  return kept.length === 1 && only !== undefined
    ? only
    : { kind: "relation", operators: operators.slice(0, index), sides: kept }
}

/** Takes the name off a value. What is an equation and no naming stays whole. */
export const unname = (value: Value): Named => {
  const whole: Named = { name: null, family: null, value }
  if (value.kind !== "relation") return whole
  const cut = value.operators.indexOf("approx")
  if (cut > 0 || (cut === 0 && value.sides[0] !== undefined && !isName(value.sides[0])))
    return unname(before(value, cut))
  const [first, last] = [value.sides[0], value.sides.at(-1)]
  if (first === undefined || last === undefined) return whole
  if (value.operators.length === 1 && value.operators[0] === "in") return isName(first) ? named(first, last) : whole
  if (!value.operators.every((operator) => operator === "=" || operator === "approx") || !holds(value.sides))
    return whole
  const middle = value.sides.slice(1, -1)
  if (isName(first) && (middle.every(isName) || isConstant(last) || middle.length > 0)) return named(first, last)
  if (value.sides.every(isConstant)) return { ...whole, value: last }
  if (value.sides.length === 2 && isName(last)) return named(last, first)
  return whole
}
