/** Noise: bytes, keyboard rows, words that cannot be spoken, letters of scripts that are no longer written. */
import { words } from "./Bare.ts"

const BYTES = /^\s*(?:(?:0x|\\x)[0-9a-f]{2}[\s,]*){2,}$/i
const OLD_SCRIPT =
  /[\p{Script=Runic}\p{Script=Ogham}\p{Script=Cuneiform}\p{Script=Egyptian_Hieroglyphs}\p{Script=Linear_A}\p{Script=Linear_B}\p{Script=Gothic}\p{Script=Phoenician}\p{Script=Old_Italic}\p{Script=Old_Persian}\p{Script=Ugaritic}\p{Script=Deseret}]/u
const KEYBOARD = /lorem|ipsum|qwert|werty|asdf|sdfg|dfgh|ghjk|hjkl|zxcv|xcvb|cvbn|vbnm|(.)\1{5,}/
const UNSPEAKABLE = /^[^aeiouyäöüáéíóúàèìòùâêîôûåæøœ]{4,}$|[bcdfghjklmnpqrstvwxz]{6,}/

/** A word in capitals among others, or alone, that cannot be spoken is an abbreviation (HTTPS, DVLA). */
const ABBREVIATION = /(?<![\p{L}\p{N}])\p{Lu}{4,6}s?(?![\p{L}\p{N}])/gu

const isNoise = (word: string): boolean =>
  word.length >= 4 && /^\p{Script=Latin}+$/u.test(word) && (KEYBOARD.test(word) || UNSPEAKABLE.test(word))

/** Says whether an answer is noise. Where the truth or the question has such words (letters to sort), answers may. */
export const isGibberish = (answer: string, told: string): boolean => {
  if (BYTES.test(answer)) return !/0x|\\x/i.test(told)
  if (OLD_SCRIPT.test(answer) && !OLD_SCRIPT.test(told)) return true
  const long = words(answer).filter((word) => word.length >= 4)
  const abbreviations = new Set((answer.match(ABBREVIATION) ?? []).map((word) => word.toLowerCase()))
  const noise = long.filter((word) => isNoise(word) && (KEYBOARD.test(word) || !abbreviations.has(word)))
  if (noise.length === 0 || words(told).some(isNoise) || /[\\=^\d]/.test(answer)) return false
  return noise.length * 2 >= long.length
}
