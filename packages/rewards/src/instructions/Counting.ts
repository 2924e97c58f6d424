/**
 * Counting words and sentences, as the verifiers mean them.
 *
 * A word is a run of letters, marks, digits and underscores: "don't" is two, "well-known" is two, "3.5" is two (the definition that the IFEval
 * paper's tokenizer `\w+` gives). A sentence ends at `.`, `!`, `?`, `…` or their CJK and Indic kin, by Unicode's rules (UAX 29, in
 * `Intl.Segmenter`), but not after a title, an initial or a common abbreviation, and not at a line break alone; a numbered list's "1." is no sentence.
 */

const WORD = /[\p{L}\p{M}\p{N}_]+/gu

export const words = (text: string): ReadonlyArray<string> => text.match(WORD) ?? []

/** Tokens with inner hyphens, points and apostrophes kept: what counts as one capitalised word ("U.S.", "WELL-KNOWN"). */
const TOKEN = /[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}]|['’.-](?=[\p{L}\p{N}]))*/gu

export const tokens = (text: string): ReadonlyArray<string> => text.match(TOKEN) ?? []

const segmenter = new Intl.Segmenter("en", { granularity: "sentence" })

const UNFINISHED = /(?:^|[\s("'“])(?:Mrs?|Ms|Dr|Prof|St|Sr|Jr|vs|etc|e\.g|i\.e|cf|approx|No|Fig|Inc|Ltd|Co|[A-Z])\.\s*$/
const LIST_NUMBER = /^\s*(?:\d{1,3}|[A-Za-z])[.)]\s*$/
const HAS_LETTER = /[\p{L}\p{N}]/u

/** Splits a text into sentences. Only those with a letter or digit count. */
export const sentences = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  let open: Array<string> = []
  const close = (): void => {
    const sentence = open.join("").trim()
    if (HAS_LETTER.test(sentence)) found.push(sentence)
    open = []
  }
  for (const { segment } of segmenter.segment(text.replaceAll(/\s+/g, " "))) {
    open.push(segment)
    const unfinished = UNFINISHED.test(segment.slice(-24)) || (open.length === 1 && LIST_NUMBER.test(segment))
    if (!unfinished) close()
  }
  close()
  return found
}
