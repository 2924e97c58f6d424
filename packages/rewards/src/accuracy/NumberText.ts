/**
 * Numbers as people and models write them: signs, decimals, thousands separators, currency, percent, fractions, mixed numbers.
 * They are read by one pattern and never evaluated. A comma is a thousands separator, never a decimal one. Digits that a colon joins (12:30, 2:1) are a time
 * or a ratio and no number.
 */

/** A number that was read. */
export interface Reading {
  readonly value: number
  /** Its digits with the sign when it is a whole number, for exact comparison beyond 2^53; else null. */
  readonly integer: bigint | null
  readonly percent: boolean
}

/** Only the last characters of a text are searched, so that a long completion costs no more than a short one. */
export const SEARCHED_CHARACTERS = 2_048
/** A longer number is nobody's answer. */
const MAX_NUMBER_CHARACTERS = 128

const VULGAR = /[¼-¾⅐-⅞]/gu
const FRACTION =
  /(\d?)\\[dt]?frac\s{0,4}(?:\{\s{0,4}(\d{1,20})\s{0,4}\}|(\d))\s{0,4}(?:\{\s{0,4}(\d{1,20})\s{0,4}\}|(\d))/g

/** Writes the many spellings in one: ASCII digits, `-`, `a/b`, `%`, no LaTeX spacing or escapes. Superscripts stay (10² is not 102). */
const normalise = (text: string): string =>
  text
    .replaceAll(/[！-～]/gu, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replaceAll(/[−﹣]/gu, "-")
    .replaceAll(
      /(\d?)([¼-¾⅐-⅞])/gu,
      (_, before: string, c: string) =>
        (before === "" ? "" : `${before} `) + c.replace(VULGAR, (v) => v.normalize("NFKC").replace("⁄", "/"))
    )
    .replaceAll(
      FRACTION,
      (_, before: string, a?: string, b?: string, c?: string, d?: string) =>
        `${before === "" ? "" : `${before} `}${a ?? b}/${c ?? d}`
    )
    .replaceAll(/,\\! ?/g, ",")
    .replaceAll(/\\[,!;: ]/g, "")
    .replaceAll("{,}", ",")
    .replaceAll(/\\([$%])/g, "$1")
    .replaceAll(/(?:\\text\s?\{\s?)?\b(?:percent|pct)\b\}?/gi, "%")

const GROUPED = String.raw`\d{1,3}(?:[,\u00a0\u2009\u202f]\d{3})+(?!\d)`
const DECIMAL = String.raw`(?:(?:${GROUPED}|\d+)(?:\.\d+)?|\.\d+)`
const NUMBER = String.raw`(?:(?<![\p{L}\p{N}_.)\]])(?<sign>[+-]))?(?:[$€£¥](?<minus>-)?)?(?<!\p{L}|\p{N}|_|\.|\/|\d:|\^\{?-?|√|\\sqrt\{)(?:(?<whole>\d+) (?<mixedOver>\d+)\/(?<mixedUnder>\d+)|(?<decimal>${DECIMAL}(?:[eE][+-]?\d{1,3})?)(?: ?\/ ?(?<under>\d+(?:\.\d+)?))?)[€£¥]?(?<percent> ?%)?(?![\d^²³¹⁰-⁹]|\.\d|\/\d|:\d| ?(?:√|π|\\sqrt|\\pi))`
const ANYWHERE = new RegExp(NUMBER, "gu")
const WHOLE = new RegExp(`^(?:${NUMBER})$`, "u")

const unsigned = (groups: Record<string, string | undefined>): number => {
  if (groups["whole"] !== undefined) {
    return Number(groups["whole"]) + Number(groups["mixedOver"]) / Number(groups["mixedUnder"])
  }
  const decimal = Number((groups["decimal"] ?? "").replaceAll(/[,\u00a0\u2009\u202f]/g, ""))
  return groups["under"] === undefined ? decimal : decimal / Number(groups["under"])
}

const asInteger = (groups: Record<string, string | undefined>, negative: boolean): bigint | null => {
  if (groups["decimal"] === undefined || groups["under"] !== undefined) return null
  const digits = /^(\d+)(?:\.0+)?$/.exec(groups["decimal"].replaceAll(/[,\u00a0\u2009\u202f]/g, ""))?.[1]
  return digits === undefined ? null : BigInt(digits) * (negative ? -1n : 1n)
}

const readMatch = (match: RegExpExecArray): Reading | null => {
  const groups = match.groups ?? {}
  if (match[0].length > MAX_NUMBER_CHARACTERS) return null
  const negative = (groups["sign"] === "-") !== (groups["minus"] === "-")
  const size = unsigned(groups)
  if (!Number.isFinite(size)) return null
  return {
    value: negative ? -size : size,
    integer: asInteger(groups, negative),
    percent: groups["percent"] !== undefined
  }
}

const stripped = (text: string): string => {
  const bare = normalise(text.trim()).trim()
  const inner = /^\$([^$]*)\$ ?(%?)$/.exec(bare)
  const value = (inner === null ? bare : `${inner[1]}${inner[2]}`).trim().replace(/\.$/, "")
  return /^[+-]?\d{1,3}(?: \d{3})+$/.test(value) ? value.replaceAll(" ", "") : value
}

const matchWhole = (text: string) => (text.length > SEARCHED_CHARACTERS ? null : WHOLE.exec(stripped(text)))

/** Reads a text that is one number and nothing else (white space, `$…$` and a full stop aside); null when it is not, or divides by 0. */
export const readNumber = (text: string): Reading | null => {
  const match = matchWhole(text)
  return match === null ? null : readMatch(match)
}

/** Writes a text that is one number without currency, thousands separators and plus sign; null when it is no number. */
export const plainNumber = (text: string): string | null => {
  const match = matchWhole(text)
  return match === null || readMatch(match) === null
    ? null
    : match[0].replaceAll(/[,$€£¥\u00a0\u2009\u202f]/g, "").replace(/^\+/, "")
}

/** Finds the numbers of a text's end, in order, as they stand there (spellings normalised). */
export const allNumbers = (text: string): ReadonlyArray<string> => {
  const cut = text.length > SEARCHED_CHARACTERS
  const tail = text.slice(-SEARCHED_CHARACTERS)
  // The cut may fall inside a number: what touches it is left out.
  const searched = normalise(cut ? tail.replace(/^\S*/, "") : tail)
  return [...searched.matchAll(ANYWHERE)].flatMap((match) => (readMatch(match) === null ? [] : [match[0].trim()]))
}

/** Finds the last number in a text; null when its end has none. */
export const lastNumber = (text: string): string | null => allNumbers(text).at(-1) ?? null

/** Finds the first number in a text; null when its beginning has none. */
export const firstNumber = (text: string): string | null => {
  const head = text.slice(0, SEARCHED_CHARACTERS)
  return allNumbers(text.length > SEARCHED_CHARACTERS ? head.replace(/\S*$/, "") : head)[0] ?? null
}
