/** Reads sums, products, integrals and limits: each has a variable of its own, whose name does not matter. */
import type { Cursor } from "./Cursor.ts"
import { type Expression, whole } from "./Expression.ts"
import { refuse } from "./Limits.ts"
import { parsePower, parseSum } from "./Parse.ts"
import { startsPrimary } from "./ParsePrimary.ts"

type Bound = Expression & { kind: "bound" }

export const startsBound = (command: string): command is Bound["name"] =>
  command === "sum" || command === "prod" || command === "int" || command === "lim"

const nameOf = (cursor: Cursor): string => {
  const token = cursor.next()
  return token.kind === "letter" || token.kind === "command" ? token.text : refuse("no variable")
}

const group = (cursor: Cursor): Expression => {
  if (!cursor.take("{")) return cursor.deeper(() => parsePower(cursor))
  const inside = parseSum(cursor)
  cursor.expect("}")
  return inside
}

/** Reads what follows `\sum`, `\prod`, `\int` or `\lim`. */
export const parseBound = (cursor: Cursor, name: Bound["name"]): Expression => {
  if (name === "int") return integral(cursor)
  cursor.expect("_")
  cursor.expect("{")
  const variable = nameOf(cursor)
  cursor.expect(name === "lim" ? "rightarrow" : "=")
  const from = parseSum(cursor)
  cursor.expect("}")
  const to = name === "lim" ? from : (cursor.expect("^"), group(cursor))
  return { kind: "bound", name, variable, from, to, body: body(cursor) }
}

/** The body goes up to the next plus or minus outside of brackets. */
const body = (cursor: Cursor): Expression =>
  cursor.deeper(() => {
    let terms: Expression = parsePower(cursor)
    for (;;) {
      if (cursor.take("/")) terms = { kind: "quotient", left: terms, right: parsePower(cursor) }
      else if (cursor.take("cdot") || cursor.take("times") || cursor.take("*") || startsPrimary(cursor)) {
        terms = { kind: "product", terms: [terms, parsePower(cursor)] }
      } else return terms
    }
  })

/** An integral keeps its integrand with the differential as a factor: two integrals are equal when their parts are. */
const integral = (cursor: Cursor): Expression => {
  const from = cursor.take("_") ? group(cursor) : whole(0)
  const to = cursor.take("^") ? group(cursor) : whole(0)
  return { kind: "bound", name: "int", variable: "", from, to, body: body(cursor) }
}
