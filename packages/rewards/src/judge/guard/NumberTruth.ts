/** A number for a truth: an answer that names no number at all cannot be it, whatever it says. */
import { bare } from "./Bare.ts"

/** A plain finite number, with currency, thousands, percent, degree or a fraction; no letters. */
const PLAIN = /^[-+−±]?\s*[$€£¥]?\s*(?:\d[\d,. ]*|\.\d+)(?:\s*\/\s*\d[\d,.]*)?\s*[%°]?$/
const FRACTION = /\\[dt]?frac\s*\{?\s*\d+\s*\}?\s*\{?\s*\d+\s*\}?/g

/** Says whether a truth is a plain number. */
export const isNumberTruth = (gold: string): boolean =>
  PLAIN.test(bare(gold.replace(FRACTION, "1/2").replaceAll("\\", "")).replace(/^\((.*)\)$/, "$1"))

/** Numerals of every script, and Chinese ones, which are letters. */
const NUMERAL = /\p{N}|[〇零一二三四五六七八九十百千万億两兩]/u
const NUMBER_WORD =
  /\b(?:zero|nought|none|no|nothing|nobody|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand|million|billion|trillion|dozen|half|halves|thirds?|quarters?|fourths?|fifths?|single|once|twice|thrice|double|triple|pair|couple)(?:s|th|st|nd|rd)?\b/i
/** Constants and functions whose value may be the number, and Roman numerals. */
const CONSTANT = /\\(?:pi|sqrt|frac|tau|phi|log|ln|sin|cos|tan|exp|binom)\b|[πτφ√]|\b(?:[IVXLCDM]{2,}|[VXLCDM])\b|\be\b/
const OTHER_SCRIPT = /(?!\p{Script=Latin})\p{L}/u

/** Says whether an answer to a number truth names no number. Texts in other scripts may name one in words that are not known here. */
export const namesNoNumber = (answer: string, gold: string): boolean => {
  if (!isNumberTruth(gold)) return false
  const text = answer.normalize("NFKC").replace(/\b(?:step|part|case)\s*\d+\s*[:.)]?/gi, " ")
  return !NUMERAL.test(text) && !NUMBER_WORD.test(text) && !CONSTANT.test(text) && !OTHER_SCRIPT.test(text)
}
