/** Expressions: what an answer's formula says, apart from how it is written. */
import { Fraction } from "fraction.js"

export type Expression =
  | {
      readonly kind: "number"
      readonly value: Fraction
      /** Decimal places as written, for rounded decimals; null for a number without a decimal point. */
      readonly places: number | null
    }
  | { readonly kind: "constant"; readonly name: "pi" | "e" | "i" | "infinity" }
  | { readonly kind: "symbol"; readonly name: string }
  | { readonly kind: "sum" | "product"; readonly terms: ReadonlyArray<Expression> }
  | { readonly kind: "quotient" | "power"; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "negative" | "degrees" | "percent"; readonly of: Expression }
  /** `left ± right`: both signs. `sign` -1 for ∓. */
  | { readonly kind: "either"; readonly left: Expression; readonly right: Expression; readonly sign: 1 | -1 }
  /** A function that is known by name. */
  | { readonly kind: "call"; readonly name: string; readonly of: ReadonlyArray<Expression> }
  /** Something whose value is not known but depends on its parts alone: f(2), a_{n+1}, an angle's name. */
  | { readonly kind: "opaque"; readonly name: string; readonly of: ReadonlyArray<Expression> }
  /** A sum, product, integral or limit with its own variable. */
  | {
      readonly kind: "bound"
      readonly name: "sum" | "prod" | "int" | "lim"
      readonly variable: string
      readonly from: Expression
      readonly to: Expression
      readonly body: Expression
    }

export const whole = (value: number | bigint): Expression => ({
  kind: "number",
  value: new Fraction(value, 1),
  places: null
})

/** Reads decimal digits (with an exponent of ten, if any) exactly. */
export const decimal = (text: string): Expression => {
  const [mantissa = "0", exponent = "0"] = text.toLowerCase().split("e")
  const [digits = "", fraction] = mantissa.split(".")
  const places = fraction?.length ?? 0
  const scale = places - Number(exponent)
  const numerator = BigInt(`${digits}${fraction ?? ""}`)
  const value =
    scale >= 0 ? new Fraction(numerator, 10n ** BigInt(scale)) : new Fraction(numerator * 10n ** BigInt(-scale), 1n)
  return { kind: "number", value, places: fraction === undefined && scale <= 0 ? null : Math.max(0, scale) }
}

/** The expressions directly inside another. */
export const parts = (expression: Expression): ReadonlyArray<Expression> => {
  switch (expression.kind) {
    case "number":
    case "constant":
    case "symbol":
      return []
    case "sum":
    case "product":
      return expression.terms
    case "quotient":
    case "power":
    case "either":
      return [expression.left, expression.right]
    case "negative":
    case "degrees":
    case "percent":
      return [expression.of]
    case "call":
    case "opaque":
      return expression.of
    case "bound":
      return [expression.from, expression.to, expression.body]
  }
}

/** Says whether an expression or a part of it fulfils a condition. */
export const contains = (expression: Expression, holds: (part: Expression) => boolean): boolean =>
  holds(expression) || parts(expression).some((part) => contains(part, holds))

/** Replaces every ± by one of its signs: `sign` 1 takes the upper signs. */
export const withSign = (expression: Expression, sign: 1 | -1): Expression => {
  const inside = (part: Expression) => withSign(part, sign)
  switch (expression.kind) {
    case "number":
    case "constant":
    case "symbol":
      return expression
    case "either": {
      const right = inside(expression.right)
      const terms = [
        inside(expression.left),
        expression.sign === sign ? right : { kind: "negative" as const, of: right }
      ]
      return { kind: "sum", terms }
    }
    case "sum":
    case "product":
      return { ...expression, terms: expression.terms.map(inside) }
    case "quotient":
    case "power":
      return { ...expression, left: inside(expression.left), right: inside(expression.right) }
    case "negative":
    case "degrees":
    case "percent":
      return { ...expression, of: inside(expression.of) }
    case "call":
    case "opaque":
      return { ...expression, of: expression.of.map(inside) }
    case "bound":
      return { ...expression, from: inside(expression.from), to: inside(expression.to), body: inside(expression.body) }
  }
}

export const hasEither = (expression: Expression): boolean => contains(expression, (part) => part.kind === "either")
