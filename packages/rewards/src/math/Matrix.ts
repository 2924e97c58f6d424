/** Reads matrices and sums of matrices. */
import { type Expression, whole as number } from "./Expression.ts"
import { MAX_ITEMS, refuse } from "./Limits.ts"
import { parse } from "./Parse.ts"
import { splitAt, type Token } from "./Tokens.ts"

type Tokens = ReadonlyArray<Token>
type Rows = ReadonlyArray<ReadonlyArray<Expression>>

const isBegin = ({ kind, text }: Token): boolean => kind === "command" && text === "begin"

/** Says whether there is a matrix environment among the tokens. */
export const isMatrix = (list: Tokens): boolean => list.some(isBegin)

const whole = (list: Tokens): Expression => {
  const { expression, rest } = parse(list)
  return rest.length === 0 ? expression : refuse("left over in a matrix")
}

/** Index after the group `{…}` that begins at `from`. */
const afterGroup = (list: Tokens, from: number): number => {
  const close = list.findIndex((token, i) => i > from && token.kind === "sign" && token.text === "}")
  return close < 0 ? refuse("group") : close + 1
}

/** Reads `\begin{…} a & b \\ c & d \end{…}`; the column letters of an array are skipped. */
const readEnvironment = (list: Tokens): Rows => {
  const end = list.findLastIndex(({ kind, text }) => kind === "command" && text === "end")
  const named = afterGroup(list, 0)
  const isArray =
    list
      .slice(1, named)
      .map(({ text }) => text)
      .join("") === "{array}"
  const from = isArray && list[named]?.text === "{" ? afterGroup(list, named) : named
  if (end < from) return refuse("matrix without an end")
  const body = list.slice(from, end)
  const rows = splitAt(body, ({ kind, text }) => kind === "command" && text === "cr")
    .filter((row) => row.length > 0)
    .map((row) => splitAt(row, ({ kind, text }) => kind === "sign" && text === "&").map(whole))
  if (rows.length * (rows[0]?.length ?? 0) > MAX_ITEMS || rows.some((row) => row.length !== rows[0]?.length))
    return refuse("matrix")
  return rows
}

const scaled = (rows: Rows, factor: Expression): Rows =>
  rows.map((row) => row.map((entry) => ({ kind: "product" as const, terms: [factor, entry] })))

const added = (left: Rows, right: Rows): Rows => {
  if (left.length !== right.length || left[0]?.length !== right[0]?.length) return refuse("sizes of matrices")
  return left.map((row, i) =>
    row.map((entry, j) => ({ kind: "sum" as const, terms: [entry, right[i]?.[j] ?? refuse("entry")] }))
  )
}

const withoutBrackets = (list: Tokens): Tokens =>
  list[0]?.kind === "sign" && (list[0].text === "(" || list[0].text === "[") && list.length > 2
    ? list.slice(1, -1)
    : list

const readTerm = (list: Tokens): Rows => {
  const at = list.findIndex(isBegin)
  const last = list.at(-1)
  if (at < 0 || last === undefined) return refuse("no matrix")
  const rows = readEnvironment(list.slice(at))
  const before = list.slice(0, at).filter(({ text }) => text !== "cdot" && text !== "times")
  return before.length === 0 ? rows : scaled(rows, whole(before))
}

/** Reads a matrix, or a sum of matrices with factors. Throws `NotAValue` for anything else. */
export const readMatrix = (list: Tokens): Rows => {
  const inside = withoutBrackets(list)
  const signs: Array<string> = []
  const terms = splitAt(inside, ({ kind, text }) => {
    const isTerm = kind === "sign" && (text === "+" || text === "-")
    if (isTerm) signs.push(text)
    return isTerm
  })
  return terms
    .map(readTerm)
    .reduce((sum, term, i) => added(sum, signs[i - 1] === "-" ? scaled(term, number(-1)) : term))
}
