/** The kinds of pass-rate columns that are found in the wild, and how a cell of each becomes passes of samples. */
import { PassRateKind } from "@gradus/domain/manifest/Curriculum"
import { shown } from "./Cells.ts"

export const passRateKinds = PassRateKind.literals

export interface PassCount {
  readonly passed: number
  readonly scored: number
}

type Read = PassCount | string
type Rounding = "refuse" | "nearest"

const needed = (what: string, value: unknown): string => `${what} is needed, and it is ${shown(value)}`

/** Reads a number, or the text of one: some data sets store their rates as text. */
const numberOf = (value: unknown): number | undefined => {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined
  if (typeof value !== "string" || !/^-?\d+(?:\.\d+)?(?:e-?\d+)?$/iu.test(value.trim())) return undefined
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}

/** Above this a difference to a whole number of passes is no rounding of a double. */
const tolerance = 1e-6

const ofShare = (share: number, n: number, value: unknown, rounding: Rounding): Read => {
  const passed = Math.round(share * n)
  if (rounding === "nearest" || Math.abs(share * n - passed) <= tolerance * n) return { passed, scored: n }
  return `${shown(value)} is ${Number((share * n).toPrecision(6))} of ${n} samples, which is no whole number: is n right?`
}

const scaled = (value: unknown, n: number, top: number, rounding: Rounding, shareOf: (x: number) => number): Read => {
  const number = numberOf(value)
  if (number === undefined) return needed("a number", value)
  if (number >= 0 && number <= top) return ofShare(shareOf(number / top), n, value, rounding)
  const hint = top === 1 && number > 1 && number <= 100 ? "; is the column of another kind, such as percent?" : ""
  return needed(`a number from 0 to ${top}`, value) + hint
}

const counted = (value: unknown, n: number, passedOf: (count: number) => number): Read => {
  const number = numberOf(value)
  if (number === undefined || !Number.isInteger(number)) return needed("a whole number", value)
  if (number < 0 || number > n) return needed(`a number from 0 to ${n}`, value)
  return { passed: passedOf(number), scored: n }
}

const fraction = (value: unknown, n: number | undefined): Read => {
  const parts = typeof value === "string" ? /^\s*(\d+)\s*\/\s*(\d+)\s*$/u.exec(value) : null
  if (parts === null) return needed('a text such as "3/8"', value)
  const [passed, scored] = [Number(parts[1]), Number(parts[2])]
  if (scored === 0 || passed > scored) return `${shown(value)} is no share of samples`
  return n === undefined || n === scored ? { passed, scored } : `${shown(value)} is not of ${n} samples`
}

const isScore = (entry: unknown): boolean => entry === true || entry === false || entry === 1 || entry === 0

const booleans = (value: unknown, n: number | undefined): Read => {
  if (!Array.isArray(value)) return needed("a list of true and false", value)
  const entries: ReadonlyArray<unknown> = value
  const odd = entries.findIndex((entry) => entry !== null && !isScore(entry))
  if (odd >= 0) return `true, false or null is needed, and entry ${odd + 1} is ${shown(entries[odd])}`
  if (n !== undefined && entries.length !== n) return `${n} entries are needed, and there are ${entries.length}`
  const scores = entries.filter((entry) => entry !== null)
  return { passed: scores.filter((entry) => entry === true || entry === 1).length, scored: scores.length }
}

/** Reads a cell as passes of samples, or says what is wrong with it. */
export const readCount = (kind: PassRateKind, value: unknown, n: number | undefined, rounding: Rounding): Read => {
  if (kind === "fraction") return fraction(value, n)
  if (kind === "booleans") return booleans(value, n)
  if (n === undefined) return `a column of kind ${kind} does not say of how many samples: n is needed`
  if (!Number.isInteger(n) || n < 1) return `n is a whole number of at least 1, and it is ${n}`
  switch (kind) {
    case "rate":
      return scaled(value, n, 1, rounding, (share) => share)
    case "percent":
      return scaled(value, n, 100, rounding, (share) => share)
    case "difficulty_0_100":
      return scaled(value, n, 100, rounding, (share) => 1 - share)
    case "passed_count":
      return counted(value, n, (count) => count)
    case "failed_count":
      return counted(value, n, (count) => n - count)
  }
}
