/** Compares values: same shape, same parts; and the pairs of shapes that say the same. Symmetrical by construction. */
import { type Expression, hasEither, withSign } from "./Expression.ts"
import { type Interval, sameSet } from "./Interval.ts"
import { NotAValue } from "./Limits.ts"
import { type Named, unname } from "./Named.ts"
import { sameRelation, solutionSet } from "./Relations.ts"
import { same } from "./Same.ts"
import { plainWords, type Value } from "./Value.ts"

type Quantity = Value & { kind: "quantity" }

/** Percent and degree signs are units where both sides have them or one may; else they are factors. */
const sameScaled = (left: Expression, right: Expression): boolean => {
  for (const kind of ["percent", "degrees"] as const) {
    if (left.kind === kind && right.kind === kind) return same(left.of, right.of)
    if (left.kind === kind) return same(left.of, right) || same(left, right)
    if (right.kind === kind) return same(left, right.of) || same(left, right)
  }
  return same(left, right)
}

const UNITS_IN_FORMULA: Readonly<Record<string, string>> = { percent: "percent", degrees: "degree" }
const unitOf = ({ unit, expression }: Quantity): string =>
  unit === "" ? (UNITS_IN_FORMULA[expression.kind] ?? "") : unit

/** A unit may be left out on one side, but two units must be the same. */
const sameQuantity = (left: Quantity, right: Quantity): boolean => {
  const [a, b] = [unitOf(left), unitOf(right)]
  return (a === b || a === "" || b === "") && sameScaled(left.expression, right.expression)
}

/** Writes a value with ± as the two values that it means. */
const branches = (value: Value): ReadonlyArray<Value> => {
  if (value.kind === "quantity" && hasEither(value.expression)) {
    return ([1, -1] as const).map((sign) => ({ ...value, expression: withSign(value.expression, sign) }))
  }
  if (value.kind === "bracket" && value.items.some((item) => branches(item).length > 1)) {
    return [0, 1].map((i) => ({ ...value, items: value.items.map((item) => branches(item)[i] ?? item) }))
  }
  return [value]
}

/** Says whether two sets have the same elements: repeated ones count once. */
const sameElements = (left: ReadonlyArray<Value>, right: ReadonlyArray<Value>): boolean => {
  const found = (item: Value, list: ReadonlyArray<Value>) => list.some((other) => compare(item, other))
  return left.every((item) => found(item, right)) && right.every((item) => found(item, left))
}

/** Says whether the items of two lists can be paired off, each with an equal one of its own. */
const pairedOff = (left: ReadonlyArray<Value>, right: ReadonlyArray<Value>): boolean => {
  if (left.length !== right.length) return false
  const free = [...right]
  return left.every((item) => {
    const at = free.findIndex((other) => compare(item, other))
    if (at >= 0) free.splice(at, 1)
    return at >= 0
  })
}

const inOrder = (left: ReadonlyArray<Value>, right: ReadonlyArray<Value>): boolean =>
  left.length === right.length && left.every((item, i) => compare(item, right[i] ?? { kind: "text", text: "" }))

/** Several answers: by name where each has its own, else in any order. */
interface Several {
  readonly values: ReadonlyArray<Value>
  readonly names: ReadonlyArray<string> | null
  /** A set, or tuples, which name solutions: repeated ones count once. Repeated numbers of a list count as often as they stand there. */
  readonly set: boolean
}

const several = (value: Value): Several => {
  const named = itemsOf(value).map(unname)
  const names = named.flatMap(({ name }) => (name === null ? [] : [name]))
  const own =
    names.length === named.length && names.length > 1 && new Set(names).size === names.length && !isFamily(named)
  return {
    values: named.flatMap((item) => (own ? [item.value] : itemsOf(item.value).flatMap(branches))),
    names: own ? names : null,
    set: value.kind === "set" || named.every((item) => item.value.kind === "bracket" || item.value.kind === "set")
  }
}

const isFamily = (named: ReadonlyArray<Named>): boolean =>
  named.every(({ family }) => family !== null && family === named[0]?.family)

const itemsOf = (value: Value): ReadonlyArray<Value> =>
  value.kind === "list" || value.kind === "set" ? value.items : branches(value)

const sameSeveral = (left: Several, right: Several): boolean => {
  if (left.names !== null && right.names !== null) {
    const { names } = right
    return (
      left.names.length === names.length &&
      left.names.every((name, i) => {
        const [one, other] = [left.values[i], right.values[names.indexOf(name)]]
        return one !== undefined && other !== undefined && compare(one, other)
      })
    )
  }
  if (left.names !== null || right.names !== null) return inOrder(left.values, right.values)
  return left.set || right.set ? sameElements(left.values, right.values) : pairedOff(left.values, right.values)
}

const isSeveral = (value: Value): boolean => value.kind === "list" || value.kind === "set" || branches(value).length > 1

const sameMatrix = (
  left: ReadonlyArray<ReadonlyArray<Expression>>,
  right: ReadonlyArray<ReadonlyArray<Expression>>
): boolean =>
  left.length === right.length &&
  left.every(
    (row, i) =>
      row.length === right[i]?.length &&
      row.every((entry, j) => {
        const other = right[i]?.[j]
        return other !== undefined && same(entry, other)
      })
  )

/** A row, column or bracket of expressions as one column; null for what is no vector. */
const vectorOf = (value: Value): ReadonlyArray<ReadonlyArray<Expression>> | null => {
  if (value.kind === "bracket" && (value.open === "[") === (value.close === "]")) {
    return value.items.every((item) => item.kind === "quantity" && item.unit === "")
      ? value.items.flatMap((item) => (item.kind === "quantity" ? [[item.expression]] : []))
      : null
  }
  if (value.kind !== "matrix") return null
  return value.rows.length === 1 ? (value.rows[0] ?? []).map((entry) => [entry]) : value.rows
}

const sameRatio = (left: Value & { kind: "ratio" }, right: Value & { kind: "ratio" }): boolean => {
  if (left.clock !== null && right.clock !== null) return left.clock === right.clock
  const [a, b] = [left.terms, right.terms]
  const [a0, b0] = [a[0], b[0]]
  if (a.length !== b.length || a0 === undefined || b0 === undefined) return false
  return a.every((term, i) => {
    const other = b[i]
    const product = (x: Expression, y: Expression): Expression => ({ kind: "product", terms: [x, y] })
    return other !== undefined && (i === 0 || same(product(term, b0), product(other, a0)))
  })
}

const intervalsOf = (value: Value): ReadonlyArray<Interval> | null => {
  const own = unname(value)
  return own.value.kind === "list" && !own.value.or ? null : solutionSet(own.value)
}

const isInterval = (value: Value): boolean =>
  value.kind === "relation" ||
  value.kind === "union" ||
  value.kind === "difference" ||
  (value.kind === "list" && value.or)

/** Compares as sets of real numbers where one side is a union or an inequality; undefined where that cannot be said. */
const asSets = (left: Value, right: Value): boolean | undefined => {
  if (!isInterval(left) && !isInterval(right)) return undefined
  const [a, b] = [intervalsOf(left), intervalsOf(right)]
  if (a === null || b === null) return undefined
  try {
    return sameSet(a, b)
  } catch (error) {
    if (error instanceof NotAValue) return undefined
    throw error
  }
}

const sameKind = (left: Value, right: Value): boolean => {
  if (left.kind === "quantity" && right.kind === "quantity") return sameQuantity(left, right)
  if (left.kind === "bracket" && right.kind === "bracket") {
    return left.open === right.open && left.close === right.close && inOrder(left.items, right.items)
  }
  if (left.kind === "ratio" && right.kind === "ratio") return sameRatio(left, right)
  if (left.kind === "relation" && right.kind === "relation") return sameRelation(left, right, compare)
  if (left.kind === "union" && right.kind === "union") return sameElements(left.parts, right.parts)
  if (left.kind === "difference" && right.kind === "difference") {
    return compare(left.of, right.of) && compare(left.without, right.without)
  }
  const [a, b] = [vectorOf(left), vectorOf(right)]
  return (left.kind === "matrix" || right.kind === "matrix") && a !== null && b !== null && sameMatrix(a, b)
}

const textOf = (value: Value): string | null => {
  if (value.kind === "text") return plainWords(value.text)
  const symbol = value.kind === "quantity" && value.unit === "" && value.expression.kind === "symbol"
  return symbol && value.expression.kind === "symbol" ? value.expression.name.toLowerCase() : null
}

/** Says whether two values are the same answer. */
export const compare = (left: Value, right: Value): boolean => {
  const sets = asSets(left, right)
  if (sets !== undefined) return sets
  if (left.kind === "relation" && right.kind === "relation" && sameKind(left, right)) return true
  const [a, b] = [unname(left), unname(right)]
  if (a.name !== null && b.name !== null) return a.name === b.name && compare(a.value, b.value)
  if (a.value !== left || b.value !== right) return compare(a.value, b.value)
  if (isSeveral(left) || isSeveral(right)) return sameSeveral(several(left), several(right))
  if (left.kind === "text" || right.kind === "text") {
    const text = textOf(left)
    return text !== null && text !== "" && text === textOf(right)
  }
  return sameKind(left, right)
}
