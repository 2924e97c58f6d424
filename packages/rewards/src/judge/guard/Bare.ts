/** What is left of a text without its wrapping: tags, boxes, dollars, bold. */

const TAGS = /<!--[\s\S]{0,2000}?-->|<\/?[A-Za-z][^<>]{0,300}>|<\|\w{1,40}\|>/g
const LATEX_WRAPPERS =
  /\\(?:(?:boxed|fbox|text(?:bf|it|rm|normal)?|math(?:rm|bf)|operatorname|displaystyle|left|right|q?quad)(?![A-Za-z])|[,;!:[\]()])/g
const DECORATION = /[{}$*_`~]|\\[()[\]]/g

/** Strips wrapping; what stands between tags stays. Composed as NFKC, so that full-width letters and letters are one. */
export const bare = (text: string): string =>
  text
    .normalize("NFKC")
    .replace(TAGS, " ")
    .replace(LATEX_WRAPPERS, " ")
    .replace(DECORATION, " ")
    .replace(/\s+/g, " ")
    .trim()

/** The form in which two texts are the same answer: bare, lower case, without white space and final punctuation. */
export const folded = (text: string): string =>
  bare(text)
    .toLowerCase()
    .replace(/[\s.,:;!?。：，！？…]+/gu, "")

/** The words of a text, lower case. */
export const words = (text: string): ReadonlyArray<string> =>
  bare(text)
    .toLowerCase()
    .match(/[\p{L}\p{M}]+(?:['’][\p{L}]+)?/gu) ?? []
