/**
 * Says whether two expressions are equal. Rational numbers are compared exactly. Others are compared in double precision at fixed points:
 * two different formulas of this size agree at five of them by chance with negligible probability (Schwartz and Zippel's argument).
 */
import { Complex } from "complex.js"
import type { Fraction } from "fraction.js"
import { approximate } from "./Approximate.ts"
import { exact } from "./Exact.ts"
import { contains, type Expression } from "./Expression.ts"
import { NotAValue } from "./Limits.ts"

/** Relative difference that two equal formulas may show in double precision. */
export const TOLERANCE = 1e-9
/** A decimal with at least so many significant digits may stand for the value that it is the rounding of. */
export const ROUNDED_DIGITS = 6
const POINTS = 5

const orNull = <A>(work: () => A): A | null => {
  try {
    return work()
  } catch (error) {
    if (error instanceof NotAValue || error instanceof RangeError) return null
    throw error
  }
}

/** What is left of a value that is 0, where terms of about 1 cancel. */
const NOISE = 1e-12

const close = (left: Complex, right: Complex, noise: number): boolean =>
  left.sub(right).abs() <= TOLERANCE * Math.max(left.abs(), right.abs()) || (left.abs() < noise && right.abs() < noise)

const EXACTLY_ZERO_AT_ZERO = new Set(["sqrt", "root", "abs"])

/** Says whether a value can be nearly 0 by cancelling: a sum, sin(π). Products and powers alone are as small as they say. */
const cancels = (expression: Expression): boolean =>
  contains(
    expression,
    (part) =>
      part.kind === "sum" || part.kind === "bound" || (part.kind === "call" && !EXACTLY_ZERO_AT_ZERO.has(part.name))
  )

/** Says whether a value depends on a symbol or on something unknown. */
export const varies = (expression: Expression): boolean =>
  contains(expression, ({ kind }) => kind === "symbol" || kind === "bound" || kind === "opaque")

/** The values of an expression at the fixed points; null where one of them is not finite. */
export const sampled = (expression: Expression, signed: boolean, points = POINTS): ReadonlyArray<Complex> | null =>
  orNull(() => {
    const spent = { visits: 0, work: 0 }
    return Array.from({ length: points }, (_, index) =>
      approximate(expression, { index, bound: new Map(), signed, spent })
    )
  })

const hasAbsolute = (expression: Expression): boolean =>
  contains(expression, (part) => part.kind === "call" && part.name === "abs")

const sameAtPoints = (left: Expression, right: Expression): boolean => {
  const points = varies(left) || varies(right) ? POINTS : 1
  const signs = points > 1 && (hasAbsolute(left) || hasAbsolute(right)) ? [false, true] : [false]
  const noise = cancels(left) || cancels(right) ? NOISE : 0
  return signs.every((signed) => {
    const [a, b] = [sampled(left, signed, points), sampled(right, signed, points)]
    return a !== null && b !== null && a.every((value, i) => close(value, b[i] ?? new Complex(Number.NaN, 0), noise))
  })
}

interface Rounded {
  readonly value: Fraction
  /** One unit in its last place. */
  readonly unit: number
}

/** An expression that is written as one decimal, perhaps times a power of ten, with enough digits to be a rounding. */
const asRounded = (expression: Expression): Rounded | null => {
  if (expression.kind === "negative") {
    const inner = asRounded(expression.of)
    return inner === null ? null : { ...inner, value: inner.value.neg() }
  }
  if (expression.kind === "product" && expression.terms.length === 2) {
    const [mantissa, scale] = expression.terms
    const inner = mantissa === undefined ? null : asRounded(mantissa)
    const isScale = scale?.kind === "power" && scale.left.kind === "number" && scale.left.value.equals(10)
    const factor = isScale ? orNull(() => exact(scale)) : null
    if (inner === null || factor === null) return null
    return { value: inner.value.mul(factor), unit: inner.unit * factor.valueOf() }
  }
  if (expression.kind !== "number" || expression.places === null || expression.places === 0) return null
  const digits = (expression.value.n * 10n ** BigInt(expression.places)) / expression.value.d
  return digits.toString().length < ROUNDED_DIGITS ? null : { value: expression.value, unit: 10 ** -expression.places }
}

/** Says whether one side is a rounding (or cutting off) of the other, which is not itself a whole number. */
const isRounding = (rounded: Rounded | null, value: number, wholeNumber: boolean): boolean =>
  rounded !== null && !wholeNumber && Math.abs(rounded.value.valueOf() - value) < rounded.unit * (1 - 1e-6)

const numberOf = (expression: Expression, known: Fraction | null): number => {
  if (known !== null) return known.valueOf()
  const value = varies(expression) ? undefined : sampled(expression, false, 1)?.[0]
  return value === undefined || Math.abs(value.im) > TOLERANCE * Math.abs(value.re) ? Number.NaN : value.re
}

/** 1 or -1 for an infinity, else 0. */
const infinity = (expression: Expression): number => {
  if (expression.kind === "negative") return -infinity(expression.of)
  return expression.kind === "constant" && expression.name === "infinity" ? 1 : 0
}

/** Says whether two expressions without ± are equal. Symmetrical. */
export const same = (left: Expression, right: Expression): boolean => {
  if (infinity(left) !== 0 || infinity(right) !== 0) return infinity(left) === infinity(right)
  const [a, b] = [orNull(() => exact(left)), orNull(() => exact(right))]
  if (a !== null && b !== null && a.equals(b)) return true
  const [x, y] = [numberOf(left, a), numberOf(right, b)]
  const [roundedLeft, roundedRight] = [orNull(() => asRounded(left)), orNull(() => asRounded(right))]
  if (isRounding(roundedLeft, y, b?.d === 1n) || isRounding(roundedRight, x, a?.d === 1n)) return true
  return a !== null && b !== null ? false : sameAtPoints(left, right)
}
