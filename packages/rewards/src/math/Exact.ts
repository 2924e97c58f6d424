/** Exact values: what an expression of rational numbers is, worked out with whole numbers of bounded size. */
import { Fraction } from "fraction.js"
import type { Expression } from "./Expression.ts"
import { MAX_BITS, MAX_TERMS, MAX_WORK, refuse } from "./Limits.ts"

const ZERO = new Fraction(0)
const ONE = new Fraction(1)
const WORD = 2n ** 64n

const bits = (value: bigint): number => (-WORD < value && value < WORD ? 64 : value.toString(16).length * 4)
const sizeOf = (value: Fraction): number => bits(value.n) + bits(value.d)

/** Passes on a value whose numerator and denominator are of bounded size. */
const bounded = (value: Fraction): Fraction => (sizeOf(value) > MAX_BITS ? refuse("too large") : value)

/** What has been worked so far; shared by all that one comparison works out. */
export interface Spent {
  work: number
}

/** Counts work before it is done, in products of 64-bit words; refuses what is too much of it. */
const spend = (spent: Spent, work: number): void => {
  spent.work += work
  if (spent.work > MAX_WORK) refuse("too costly")
}

const words = (value: bigint): number => bits(value) / 64

/**
 * Adds or multiplies two fractions. Most of the time goes into the common divisor that the result is reduced by, which grows with the
 * product of the lengths of numerator and denominator: whole numbers are cheap, long fractions are not.
 */
const joined = (left: Fraction, right: Fraction, how: "add" | "mul", spent: Spent): Fraction => {
  const below = words(left.d) + words(right.d)
  spend(spent, (words(left.n) + words(right.n) + below) * below)
  return bounded(left[how](right))
}

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
  // looked at before a fraction is made of them: that takes their common divisor, which is slow for what is too large
  if (bits(top) + bits(bottom) > MAX_BITS) return refuse("too large")
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

/** n (n − step) (n − 2 step) …: the factorial, or with step 2 the double one. */
const factorial = (value: Fraction, step: bigint, spent: Spent): Fraction | null => {
  const n = small(value, MAX_TERMS)
  if (n === null || n < 0) return null
  spend(spent, n * 5)
  let product = 1n
  for (let k = BigInt(n); k > 1n; k -= step) product *= k
  return bounded(new Fraction(product, 1n))
}

const binomial = (over: Fraction, under: Fraction, spent: Spent): Fraction | null => {
  const [n, k] = [small(over, 100_000), small(under, MAX_TERMS)]
  if (n === null || k === null || n < 0 || k < 0) return null
  if (k > n) return ZERO
  spend(spent, Math.min(k, n - k) * 20)
  let value = 1n
  for (let i = 1n; i <= BigInt(Math.min(k, n - k)); i++) value = (value * (BigInt(n) - i + 1n)) / i
  return bounded(new Fraction(value, 1n))
}

const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? a : gcd(b, a % b))

const callExact = (name: string, of: ReadonlyArray<Fraction>, spent: Spent): Fraction | null => {
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
      return factorial(first, 1n, spent)
    case "doublefactorial":
      return factorial(first, 2n, spent)
    case "binom":
      return second === undefined ? null : binomial(first, second, spent)
    case "max":
      return of.reduce((high, value) => (value.gt(high) ? value : high), first)
    case "min":
      return of.reduce((low, value) => (value.lt(low) ? value : low), first)
    case "gcd":
      for (const { n } of of) spend(spent, words(n) * words(first.n))
      return of.every(isWhole) ? new Fraction(of.map(({ n }) => n).reduce(gcd), 1n) : null
    default:
      return null
  }
}

const all = (list: ReadonlyArray<Expression>, spent: Spent): ReadonlyArray<Fraction> | null => {
  const values: Array<Fraction> = []
  for (const part of list) {
    const value = exact(part, spent)
    if (value === null) return null
    values.push(value)
  }
  return values
}

/**
 * Works an expression out as a rational number; null where it is none or contains what is only known approximately.
 * Throws `NotAValue` where the number is too large to write down, or costs too much.
 */
export const exact = (expression: Expression, spent: Spent = { work: 0 }): Fraction | null => {
  switch (expression.kind) {
    case "number":
      return bounded(expression.value)
    case "sum":
      return all(expression.terms, spent)?.reduce((sum, value) => joined(sum, value, "add", spent), ZERO) ?? null
    case "product":
      return all(expression.terms, spent)?.reduce((product, value) => joined(product, value, "mul", spent), ONE) ?? null
    case "quotient": {
      const [left, right] = all([expression.left, expression.right], spent) ?? []
      if (left === undefined || right === undefined || right.n === 0n) return null
      return joined(left, right.inverse(), "mul", spent)
    }
    case "power": {
      const [left, right] = all([expression.left, expression.right], spent) ?? []
      return left === undefined || right === undefined ? null : power(left, right)
    }
    case "negative":
      return exact(expression.of, spent)?.neg() ?? null
    case "percent":
      return exact(expression.of, spent)?.div(100) ?? null
    case "call": {
      const values = all(expression.of, spent)
      return values === null ? null : callExact(expression.name, values, spent)
    }
    default:
      return null
  }
}
