/** `language:` the whole response is in one language, as the `franc` package detects it among the languages that the paper's table lists. */
import { franc } from "franc"
import * as Schema from "effect/Schema"
import { instruction } from "./Instruction.ts"

/** ISO 639-1 code of each language, and the code that franc gives it. */
export const LANGUAGES = {
  ar: "arb",
  bg: "bul",
  bn: "ben",
  de: "deu",
  en: "eng",
  es: "spa",
  fa: "pes",
  fi: "fin",
  fr: "fra",
  gu: "guj",
  he: "heb",
  hi: "hin",
  it: "ita",
  ja: "jpn",
  kn: "kan",
  ko: "kor",
  ml: "mal",
  mr: "mar",
  ne: "npi",
  pa: "pan",
  pl: "pol",
  pt: "por",
  ru: "rus",
  sw: "swh",
  ta: "tam",
  te: "tel",
  th: "tha",
  uk: "ukr",
  ur: "urd",
  vi: "vie"
} as const

const only = Object.values(LANGUAGES)

/** Names the language that most of a text's letter triples speak for; "und" for a text of fewer than three letters. */
export const detected = (text: string): string => franc(text, { only: [...only], minLength: 3 })

export const isEnglish = (text: string): boolean => detected(text) === LANGUAGES.en

/** The response is in the language with this ISO 639-1 code. */
export const responseLanguage = instruction(
  "language:response_language",
  Schema.Struct({ language: Schema.Literals(Object.keys(LANGUAGES) as ReadonlyArray<keyof typeof LANGUAGES>) }),
  ({ language }) =>
    (response) =>
      detected(response) === LANGUAGES[language]
)

export const language = [responseLanguage]
