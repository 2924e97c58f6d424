/** Equations and inequalities: when two say the same, and which real numbers fulfil one. */
import type { Expression } from "./Expression.ts"
import type { Interval } from "./Interval.ts"
import { sampled, TOLERANCE, varies } from "./Same.ts"
import type { Relation, Value } from "./Value.ts"

type RelationValue = Value & { kind: "relation" }

const INFINITY: Expression = { kind: "constant", name: "infinity" }
const MINUS_INFINITY: Expression = { kind: "negative", of: INFINITY }
const FLIPPED: Readonly<Partial<Record<Relation, Relation>>> = { ">": "<", ge: "le" }

/** Writes a relation with `<` and `≤` only. */
const ascending = (relation: RelationValue): RelationValue =>
  relation.operators.every((operator) => FLIPPED[operator] !== undefined)
    ? {
        ...relation,
        operators: relation.operators.map((operator) => FLIPPED[operator] ?? operator).toReversed(),
        sides: relation.sides.toReversed()
      }
    : relation

/** Left side minus right side of each link; null where a side is no formula. */
const differences = ({ sides }: RelationValue): ReadonlyArray<Expression> | null => {
  const formulas = sides.flatMap((side) => (side.kind === "quantity" ? [side.expression] : []))
  if (formulas.length !== sides.length) return null
  return formulas
    .slice(1)
    .map((right, i) => ({ kind: "sum", terms: [formulas[i] ?? right, { kind: "negative", of: right }] }))
}

/** Says whether one formula is a constant multiple of the other; `positive` asks for a positive one. */
const proportional = (left: Expression, right: Expression, positive: boolean): boolean => {
  if (!varies(left) || !varies(right)) return false
  const [a, b] = [sampled(left, true), sampled(right, true)]
  if (a === null || b === null) return false
  const ratios = a.map((value, i) => value.div(b[i] ?? value))
  const [first] = ratios
  if (first === undefined || !Number.isFinite(first.re) || first.abs() < 1e-12) return false
  if (Math.abs(first.im) > TOLERANCE * first.abs() || (positive && first.re < 0)) return false
  return ratios.every((ratio) => ratio.sub(first).abs() <= 1e-8 * first.abs())
}

/**
 * Says whether two relations are the same: link by link, `left - right` of one is a constant multiple of the other's (a positive one for
 * an inequality). Where a side is no formula, side by side.
 */
export const sameRelation = (
  left: RelationValue,
  right: RelationValue,
  compare: (left: Value, right: Value) => boolean
): boolean => {
  const [a, b] = [ascending(left), ascending(right)]
  if (a.operators.length !== b.operators.length || a.operators.some((operator, i) => operator !== b.operators[i]))
    return false
  const [x, y] = [differences(a), differences(b)]
  const linked =
    x !== null &&
    y !== null &&
    x.every((link, i) => proportional(link, y[i] ?? link, a.operators[i] === "<" || a.operators[i] === "le"))
  return linked || a.sides.every((side, i) => compare(side, b.sides[i] ?? side))
}

const isVariable = (value: Value | undefined): boolean =>
  value?.kind === "quantity" &&
  value.unit === "" &&
  (value.expression.kind === "symbol" || value.expression.kind === "opaque")

const end = (value: Value | undefined): Expression | null =>
  value?.kind === "quantity" && !varies(value.expression) ? value.expression : null

/** The numbers between two ends. */
const between = (from: Expression, to: Expression, closedFrom: boolean, closedTo: boolean): ReadonlyArray<Interval> => [
  { from, to, closedFrom, closedTo }
]

const REALS: ReadonlyArray<Interval> = between(MINUS_INFINITY, INFINITY, false, false)

const isReals = (value: Value): boolean =>
  value.kind === "quantity" && value.expression.kind === "symbol" && value.expression.name === "R"

/** All real numbers but one. */
const allBut = (point: Expression): ReadonlyArray<Interval> => [
  ...between(MINUS_INFINITY, point, false, false),
  ...between(point, INFINITY, false, false)
]

/** The numbers whose absolute value lies between two ends, of which the lower is not negative. */
const sizeBetween = (
  from: Expression,
  to: Expression,
  closedFrom: boolean,
  closedTo: boolean
): ReadonlyArray<Interval> => [
  ...between({ kind: "negative", of: to }, { kind: "negative", of: from }, closedTo, closedFrom),
  ...between(from, to, closedFrom, closedTo)
]

const isSize = (value: Value | undefined): boolean =>
  value?.kind === "quantity" &&
  value.expression.kind === "call" &&
  value.expression.name === "abs" &&
  value.expression.of.every(({ kind }) => kind === "symbol")

const isNotNegative = (expression: Expression): boolean => (sampled(expression, false, 1)?.[0]?.re ?? -1) >= 0

/** `a < x < b`, or the same of `|x|`. */
const ofChain = (relation: RelationValue): ReadonlyArray<Interval> | null => {
  const [from, to] = [end(relation.sides[0]), end(relation.sides[2])]
  if (from === null || to === null) return null
  const closed = relation.operators.map((operator) => operator === "le")
  const [closedFrom = false, closedTo = false] = closed
  if (isVariable(relation.sides[1])) return between(from, to, closedFrom, closedTo)
  return isSize(relation.sides[1]) && isNotNegative(from) ? sizeBetween(from, to, closedFrom, closedTo) : null
}

/** One inequality between a variable, or its absolute value, and a constant. */
const ofInequality = ({ operators, sides: [first, second] }: RelationValue): ReadonlyArray<Interval> | null => {
  const closed = operators[0] === "le"
  const [from, to] = [end(first), end(second)]
  if (isVariable(first) && to !== null) return between(MINUS_INFINITY, to, false, closed)
  if (isVariable(second) && from !== null) return between(from, INFINITY, closed, false)
  if (isSize(first) && to !== null && isNotNegative(to))
    return between({ kind: "negative", of: to }, to, closed, closed)
  return isSize(second) && from !== null && isNotNegative(from) ? sizeBetween(from, INFINITY, closed, false) : null
}

const ofRelation = (relation: RelationValue): ReadonlyArray<Interval> | null => {
  if (relation.operators.length === 1 && relation.operators[0] === "ne") {
    const [left, right] = relation.sides
    const point = isVariable(left) ? end(right) : isVariable(right) ? end(left) : null
    return point === null ? null : allBut(point)
  }
  const rising = ascending(relation)
  if (!rising.operators.every((operator) => operator === "<" || operator === "le")) return null
  if (rising.sides.length === 3) return ofChain(rising)
  return rising.sides.length === 2 ? ofInequality(rising) : null
}

/** The real numbers that a value names as intervals: an interval, a set of numbers, a union, or an inequality in one variable; else null. */
export const solutionSet = (value: Value): ReadonlyArray<Interval> | null => {
  switch (value.kind) {
    case "relation":
      return ofRelation(value)
    case "bracket": {
      const [from, to] = [end(value.items[0]), end(value.items[1])]
      if (value.items.length !== 2 || from === null || to === null) return null
      return between(from, to, value.open === "[", value.close === "]")
    }
    case "set": {
      const points = value.items.map(end)
      return points.flatMap((point) => (point === null ? [] : between(point, point, true, true))).length ===
        points.length
        ? points.flatMap((point) => (point === null ? [] : between(point, point, true, true)))
        : null
    }
    case "quantity":
      return isReals(value) ? REALS : null
    case "difference": {
      const [point, ...more] = value.without.kind === "set" ? value.without.items.map(end) : []
      return isReals(value.of) && more.length === 0 && point !== undefined && point !== null ? allBut(point) : null
    }
    case "union":
      return all(value.parts)
    case "list":
      return value.or ? all(value.items) : null
    default:
      return null
  }
}

const all = (values: ReadonlyArray<Value>): ReadonlyArray<Interval> | null => {
  const sets = values.map(solutionSet)
  return sets.includes(null) ? null : sets.flatMap((set) => set ?? [])
}
