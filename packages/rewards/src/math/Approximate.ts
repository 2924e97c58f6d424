/** Approximate values: what an expression is in double precision at a point, where every symbol stands for a number. */
import { Complex } from "complex.js"
import { exact, type Spent } from "./Exact.ts"
import type { Expression } from "./Expression.ts"
import { MAX_TERMS, MAX_VISITS, refuse } from "./Limits.ts"

/** What symbols stand for. A bound variable is set in `bound`; every other symbol gets its number from its name. */
export interface Point {
  readonly index: number
  readonly bound: ReadonlyMap<string, Complex>
  /** Symbols stand for positive numbers, or also for negative ones. */
  readonly signed: boolean
  readonly spent: Spent & { visits: number }
}

const ofReal = (value: number): Complex => new Complex(value, 0)

/** A number in (0, 1) that depends on a text alone (FNV-1a, then a finaliser that spreads the bits). */
const fromText = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (((hash ^ (hash >>> 16)) >>> 0) + 0.5) / 2 ** 32
}

const symbolAt = (name: string, point: Point): Complex => {
  const bound = point.bound.get(name)
  if (bound !== undefined) return bound
  const share = fromText(`${name}@${point.index}`)
  // below 1 and above it in turn: where high powers are huge, or vanish, what is added to them is not seen
  const size = point.index % 2 === 0 ? 0.4 + 0.55 * share : 1.05 + 1.45 * share
  return ofReal(point.signed && fromText(`sign ${name}@${point.index}`) < 0.5 ? -size : size)
}

/** Nine significant digits: values that differ by rounding alone get the same text. */
const digitsOf = (value: Complex): string =>
  `${value.re.toPrecision(9)}|${value.im.toPrecision(9)}`.replaceAll("-0.00000000", "0.00000000")

/** A value that nothing is known about but what it depends on. */
const unknown = (name: string, of: ReadonlyArray<Complex>): Complex =>
  ofReal(0.4 + 2.1 * fromText(`${name}(${of.map(digitsOf).join(",")})`))

const CONSTANTS = { pi: ofReal(Math.PI), e: ofReal(Math.E), i: new Complex(0, 1), infinity: ofReal(Infinity) }

const realOf = (value: Complex): number => (value.im === 0 ? value.re : refuse("not real"))

const gamma = (n: number): number => {
  if (!Number.isInteger(n) || n < 0 || n > 170) return refuse("factorial")
  let product = 1
  for (let k = 2; k <= n; k++) product *= k
  return product
}

const called = (name: string, of: ReadonlyArray<Complex>): Complex => {
  const [z = ofReal(0), second] = of
  switch (name) {
    case "sqrt":
      return z.sqrt()
    case "root":
      return z.pow((second ?? refuse("degree")).inverse())
    case "abs":
      return ofReal(z.abs())
    case "log":
    case "ln":
    case "lg":
      return second === undefined
        ? name === "ln"
          ? z.log()
          : z.log().div(name === "lg" ? Math.LN10 : 1)
        : z.log().div(second.log())
    case "exp":
      return z.exp()
    case "factorial":
      return z.im === 0 && Number.isInteger(z.re) ? ofReal(gamma(z.re)) : unknown("factorial", of)
    case "binom":
    case "doublefactorial":
    case "gcd":
    case "lcm":
    case "det":
      return unknown(name, of)
    case "floor":
      return ofReal(Math.floor(realOf(z)))
    case "ceil":
      return ofReal(Math.ceil(realOf(z)))
    case "max":
      return ofReal(Math.max(...of.map(realOf)))
    case "min":
      return ofReal(Math.min(...of.map(realOf)))
    default:
      return trigonometric(name, z)
  }
}

const TRIGONOMETRIC: Readonly<Record<string, (z: Complex) => Complex>> = {
  sin: (z) => z.sin(),
  cos: (z) => z.cos(),
  tan: (z) => z.tan(),
  cot: (z) => z.cot(),
  sec: (z) => z.sec(),
  csc: (z) => z.csc(),
  arcsin: (z) => z.asin(),
  arccos: (z) => z.acos(),
  arctan: (z) => z.atan(),
  arccot: (z) => z.acot(),
  arcsec: (z) => z.asec(),
  arccsc: (z) => z.acsc(),
  sinh: (z) => z.sinh(),
  cosh: (z) => z.cosh(),
  tanh: (z) => z.tanh(),
  coth: (z) => z.coth()
}
const trigonometric = (name: string, z: Complex): Complex => (TRIGONOMETRIC[name] ?? refuse(name))(z)

const finite = (value: Complex): Complex =>
  Number.isFinite(value.re) && Number.isFinite(value.im) ? value : refuse("not finite")

/** A sum or product with few whole-numbered terms is written out; every other one is unknown but for its parts. */
const boundAt = (expression: Expression & { kind: "bound" }, point: Point): Complex => {
  const { name, variable, body } = expression
  const at = (value: Complex) => approximate(body, { ...point, bound: new Map(point.bound).set(variable, value) })
  const [from, to] = [exact(expression.from, point.spent), exact(expression.to, point.spent)]
  const count = from === null || to === null ? Number.NaN : Number(to.sub(from).valueOf()) + 1
  if (
    (name === "sum" || name === "prod") &&
    from?.d === 1n &&
    Number.isInteger(count) &&
    count >= 1 &&
    count <= MAX_TERMS
  ) {
    const first = Number(from.valueOf())
    const values = Array.from({ length: count }, (_, k) => at(ofReal(first + k)))
    return values.reduce((left, right) => (name === "sum" ? left.add(right) : left.mul(right)))
  }
  const samples = name === "int" ? [at(ofReal(0))] : [at(ofReal(1.37)), at(ofReal(2.61))]
  return unknown(name, [endAt(expression.from, point), endAt(expression.to, point), ...samples])
}

const endAt = (end: Expression, point: Point): Complex =>
  end.kind === "constant" && end.name === "infinity" ? ofReal(1e9) : approximate(end, point)

/** Works an expression out at a point. Throws `NotAValue` where it has no finite value there, or costs too much. */
export const approximate = (expression: Expression, point: Point): Complex => {
  if (++point.spent.visits > MAX_VISITS) return refuse("too costly")
  const at = (part: Expression) => approximate(part, point)
  switch (expression.kind) {
    case "number":
      return finite(ofReal(expression.value.valueOf()))
    case "constant":
      return expression.name === "infinity"
        ? refuse("infinite")
        : (point.bound.get(expression.name) ?? CONSTANTS[expression.name])
    case "symbol":
      return symbolAt(expression.name, point)
    case "sum":
      return finite(expression.terms.map(at).reduce((left, right) => left.add(right)))
    case "product":
      return finite(expression.terms.map(at).reduce((left, right) => left.mul(right)))
    case "quotient":
      return finite(at(expression.left).div(at(expression.right)))
    case "power":
      return finite(at(expression.left).pow(at(expression.right)))
    case "negative":
      return at(expression.of).neg()
    case "degrees":
      return at(expression.of).mul(Math.PI / 180)
    case "percent":
      return at(expression.of).div(100)
    case "call":
      return finite(called(expression.name, expression.of.map(at)))
    case "opaque":
      return unknown(expression.name, expression.of.map(at))
    case "bound":
      return finite(boundAt(expression, point))
    case "either":
      return refuse("two values")
  }
}
