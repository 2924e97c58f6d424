/** Units: what stands after a number and does not change its value. */
import type { Token } from "./Tokens.ts"

/** Words that do more than name a unit: with one of them, what follows a number is a sentence about it. */
const SENTENCE = new Set(
  "not or and is are was be if than but wrong incorrect maybe because equals answer other none neither either".split(
    " "
  )
)
const MAX_WORDS = 4

const SYNONYMS: ReadonlyArray<readonly [RegExp, string]> = [
  [/^(?:dollar|usd|\$|¤)$/, "dollar"],
  [/^(?:cent|¢)$/, "cent"],
  [/^(?:euro|eur|€)$/, "euro"],
  [/^(?:pound|£|lb)$/, "pound"],
  [/^(?:yen|¥)$/, "yen"],
  [/^(?:centimet(?:er|re))$/, "cm"],
  [/^(?:millimet(?:er|re))$/, "mm"],
  [/^(?:kilomet(?:er|re))$/, "km"],
  [/^(?:met(?:er|re))$/, "m"],
  [/^(?:inche?|in)$/, "inch"],
  [/^(?:feet|foot|ft)$/, "foot"],
  [/^(?:mile|mi)$/, "mile"],
  [/^(?:yard|yd)$/, "yard"],
  [/^(?:kilogram)$/, "kg"],
  [/^(?:gram)$/, "g"],
  [/^(?:hour|hr)$/, "hour"],
  [/^(?:minute|min)$/, "minute"],
  [/^(?:second|sec)$/, "second"],
  [/^(?:degree|deg)$/, "degree"],
  [/^(?:square|sq)$/, "square"],
  [/^(?:liter|litre)$/, "l"]
]

const singular = (word: string): string =>
  word.length > 2 && word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word

const unitWord = (word: string): string => {
  const bare = singular(word.toLowerCase())
  return SYNONYMS.find(([pattern]) => pattern.test(bare))?.[1] ?? bare
}

const MONEY = new Set(["$", "¤", "€", "£", "¥"])
export const isMoney = (token: Token | undefined): boolean => token?.kind === "sign" && MONEY.has(token.text)

/**
 * Reads the tokens after a number as a unit in one spelling; null where they are more than that. Powers and quotients of
 * units are part of the name (`cm^2`, `m/s`).
 */
export const unitOf = (list: ReadonlyArray<Token>): string | null => {
  const words: Array<string> = []
  for (const token of list) {
    if (token.kind === "text") {
      const inside = token.text.split(/[\s-]+/).filter((word) => word !== "")
      if (inside.some((word) => SENTENCE.has(word.toLowerCase()) || /\d{2}/.test(word))) return null
      words.push(...inside.map((word) => unitWord(word.replaceAll(/[.,]/g, ""))))
    } else if (isMoney(token)) words.push(unitWord(token.text))
    else if (token.kind === "letter") words.push(token.text)
    else if (token.kind === "sign" && "^/*{}.()".includes(token.text))
      words.push("{}().".includes(token.text) ? "" : token.text)
    else if (token.kind === "command" && (token.text === "cdot" || token.text === "degree")) words.push(token.text)
    else if (token.kind === "number" && /^[23]$/.test(token.text)) words.push(token.text)
    else return null
  }
  const named = words.filter((word) => word !== "")
  if (named.filter((word) => /\p{L}{2}/u.test(word)).length > MAX_WORDS) return null
  return named
    .join(" ")
    .replace(/^square (\S+)$/, "$1 ^ 2")
    .replace(/^of /, "")
}
