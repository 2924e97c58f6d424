/** Exact values: what an expression of rational numbers is, worked out with whole numbers of bounded size. */
import { Fraction } from "fraction.js"
import type { Expression } from "./Expression.ts"
import { MAX_BITS, MAX_TERMS, refuse } from "./Limits.ts"

const ZERO = new Fraction(0)
const ONE = new Fraction(1)

const bits = (value: bigint): number => (value < 2n ** 64n ? 64 : value.toString(16).length * 4)
const sizeOf = (value: Fraction): number => bits(value.n) + bits(value.d)

/** Passes on a value whose numerator and denominator are of bounded size. */
const bounded = (value: Fraction): Fraction => (sizeOf(value) > MAX_BITS ? refuse("too large") : value)

const isWhole = (value: Fraction): boolean => value.d === 1n
const small = (value: Fraction, limit: number): number | null =>
  isWhole(value) && value.n <= BigInt(limit) ? Number(value.s * value.n) : null

const power = (base: Fraction, exponent: Fraction): Fraction | null => {
  const n = small(exponent, MAX_BITS)
  if (n === null) return exponent.d === 2n ? rootPower(base, exponent) : base.equals(ONE) ? ONE : null
  if (base.n === 0n) return n > 0 ? ZERO : null
  if (Math.abs(n) * sizeOf(base) > MAX_BITS * 64) return refuse("too large")
  const up = Math.abs(n)
  const [top, bottom] = [(base.s * base.n) ** BigInt(up), base.d ** BigInt(up)]
  return bounded(n >= 0 ? new Fraction(top, bottom) : new Fraction(bottom, top))
}

const rootPower = (base: Fraction, exponent: Fraction): Fraction | null => {
  const root = squareRoot(base)
  return root === null ? null : power(root, exponent.mul(2))
}

const integerRoot = (value: bigint): bigint | null => {
  if (value < 2n) return value
  let guess = 1n << BigInt(Math.ceil(bits(value) / 2) + 1)
  for (;;) {
    const better = (guess + value / guess) >> 1n
    if (better >= guess) return guess * guess === value ? guess : null
    guess = better
  }
}

/** The square root of a square; null where the root is not rational. */
const squareRoot = (value: Fraction): Fraction | null => {
  if (value.s < 0n || sizeOf(value) > 1_024) return null
  const [top, bottom] = [integerRoot(value.n), integerRoot(value.d)]
  return top === null || bottom === null ? null : new Fraction(top, bottom)
}

const factorial = (value: Fraction): Fraction | null => {
  const n = small(value, MAX_TERMS)
  if (n === null || n < 0) return null
  let product = 1n
  for (let k = 2n; k <= BigInt(n); k++) product *= k
  return bounded(new Fraction(product, 1n))
}

const binomial = (over: Fraction, under: Fraction): Fraction | null => {
  const [n, k] = [small(over, 100_000), small(under, MAX_TERMS)]
  if (n === null || k === null || n < 0 || k < 0) return null
  if (k > n) return ZERO
  let value = 1n
  for (let i = 1n; i <= BigInt(Math.min(k, n - k)); i++) value = (value * (BigInt(n) - i + 1n)) / i
  return bounded(new Fraction(value, 1n))
}

const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? a : gcd(b, a % b))

const callExact = (name: string, of: ReadonlyArray<Fraction>): Fraction | null => {
  const [first = ZERO, second] = of
  switch (name) {
    case "sqrt":
      return squareRoot(first)
    case "abs":
      return first.abs()
    case "floor":
      return first.floor()
    case "ceil":
      return first.ceil()
    case "factorial":
      return factorial(first)
    case "binom":
      return second === undefined ? null : binomial(first, second)
    case "max":
      return of.reduce((high, value) => (value.gt(high) ? value : high), first)
    case "min":
      return of.reduce((low, value) => (value.lt(low) ? value : low), first)
    case "gcd":
      return of.every(isWhole) ? new Fraction(of.map(({ n }) => n).reduce(gcd), 1n) : null
    default:
      return null
  }
}

const all = (list: ReadonlyArray<Expression>): ReadonlyArray<Fraction> | null => {
  const values: Array<Fraction> = []
  for (const part of list) {
    const value = exact(part)
    if (value === null) return null
    values.push(value)
  }
  return values
}

/**
 * Works an expression out as a rational number; null where it is none or contains what is only known approximately.
 * Throws `NotAValue` where the number is too large to write down.
 */
export const exact = (expression: Expression): Fraction | null => {
  switch (expression.kind) {
    case "number":
      return bounded(expression.value)
    case "sum":
      return all(expression.terms)?.reduce((sum, value) => bounded(sum.add(value)), ZERO) ?? null
    case "product":
      return all(expression.terms)?.reduce((product, value) => bounded(product.mul(value)), ONE) ?? null
    case "quotient": {
      const values = all([expression.left, expression.right])
      const [left, right] = values ?? []
      return left === undefined || right === undefined || right.n === 0n ? null : bounded(left.div(right))
    }
    case "power": {
      const [left, right] = all([expression.left, expression.right]) ?? []
      return left === undefined || right === undefined ? null : power(left, right)
    }
    case "negative":
      return exact(expression.of)?.neg() ?? null
    case "percent":
      return exact(expression.of)?.div(100) ?? null
    case "call": {
      const values = all(expression.of)
      return values === null ? null : callExact(expression.name, values)
    }
    default:
      return null
  }
}
