/** Answers that a completion marks with words or tags: `ANSWER: B`, `<answer>…</answer>`, `#### 42`. */
import { plainNumber } from "../accuracy/NumberText.ts"

const MARK = /answer[^\S\n]{0,4}:[^\S\n]{0,8}/gi

/** What follows each `ANSWER:` on its line. */
const marked = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(MARK)].map((match) => text.slice(match.index + match[0].length).split("\n", 1)[0] ?? "")

const WORD = /^\**([^\s,;!?"]+?)\**[.,;!?"]*(?:\s|$|[,;!?"])/u
const wordOf = (line: string): string | null => WORD.exec(line)?.[1] ?? null

/** Takes the one word after the first (or last) `ANSWER:`, without punctuation around it. */
export const answerWord = (text: string, which: "first" | "last"): string | null => {
  const lines = marked(text)
  const line = which === "first" ? lines[0] : lines.at(-1)
  return line === undefined ? null : wordOf(line)
}

/** Takes the letter after the last `ANSWER:`, also in brackets: `B`, `(b)`, `B) because`. A letter that begins a word is none. */
export const answerLetter = (text: string): string | null => {
  const line = marked(text).at(-1)
  return line === undefined ? null : (/^\**[([]?\s?([A-Za-z])(?![\p{L}\p{N}'])/u.exec(line)?.[1]?.toUpperCase() ?? null)
}

/** The contents of all `<answer>…</answer>`, in order. */
export const answerTags = (text: string): ReadonlyArray<string> =>
  text
    .split("<answer>")
    .slice(1)
    .flatMap((part) => {
      const end = part.indexOf("</answer>")
      return end < 0 ? [] : [part.slice(0, end).trim()]
    })

/** Takes what stands after the last `####` of its line, as GSM8K writes it; a number loses currency and thousands separators. */
export const afterLastHash = (text: string): string | null => {
  const mark = text.lastIndexOf("####")
  if (mark < 0) return null
  const line = (text.slice(mark + "####".length).split("\n", 1)[0] ?? "").replace(/^:/, "").trim()
  return plainNumber(line) ?? line
}
