/** Boxes: `\boxed{…}`, `\fbox{…}` and `\framebox{…}`, as LaTeX answers mark their result. */

const BOXES = ["\\boxed{", "\\fbox{", "\\framebox{"]

/** Says whether a text has a box. */
export const hasBox = (text: string): boolean => BOXES.some((box) => text.includes(box))

/** A part of a text: from `start` up to, without, `end`. */
export interface Span {
  readonly start: number
  readonly end: number
  readonly content: string
}

/** Index of the brace that closes the one at `open`, or -1. A brace after a backslash is text. */
const closingBrace = (text: string, open: number): number => {
  let depth = 0
  for (let i = open; i < text.length; i++) {
    const character = text[i]
    if (character === "\\") i++
    else if (character === "{") depth++
    else if (character === "}" && --depth === 0) return i
  }
  return -1
}

/** Finds the last box that begins before `before`; null when there is none, `open` when it is never closed. */
export const boxBefore = (text: string, before: number): Span | "open" | null => {
  const from = Math.max(0, before - 1)
  const mark = Math.max(...BOXES.map((box) => text.lastIndexOf(box, from)))
  if (before <= 0 || mark < 0) return null
  const open = text.indexOf("{", mark)
  const close = closingBrace(text, open)
  return close < 0 ? "open" : { start: mark, end: close + 1, content: text.slice(open + 1, close).trim() }
}

/** Takes what stands in the last box; nothing when that box is never closed. */
export const lastBoxed = (text: string): string | null => {
  const box = boxBefore(text, text.length)
  return box === null || box === "open" ? null : box.content
}

/** What may stand between two boxes that state one answer together: signs of a list, "and", "or", one word before them. */
const BESIDE =
  /^(?:[\s$,;.&]|\\[,;:![\]()\\ ]|\\q?quad(?![a-z]))*(?:[A-Za-z]{1,12}\s+)?(?:\\text\{\s*(?:and|or)\s*\}|\b(?:and|or)\b)?(?:[\s$,;&]|\\[,;:![\]()\\ ]|\\q?quad(?![a-z]))*$/
const MAX_BESIDE = 40
const MAX_BOXES = 32

const isBeside = (between: string): boolean =>
  between.length <= MAX_BESIDE &&
  BESIDE.test(between) &&
  (!/[A-Za-z]{2}/.test(between) || /\b(?:and|or)\b/.test(between) || /quad/.test(between))

/** Takes the last box together with those beside it, as one list: `\boxed{1} and \boxed{2}` is `1, 2`. */
export const lastBoxes = (text: string): string | null => {
  const last = boxBefore(text, text.length)
  if (last === null || last === "open") return null
  const found = [last]
  while (found.length < MAX_BOXES) {
    const [next = last] = found
    const before = boxBefore(text, next.start)
    if (
      before === null ||
      before === "open" ||
      before.end > next.start ||
      !isBeside(text.slice(before.end, next.start))
    )
      break
    found.unshift(before)
  }
  return found.map(({ content }) => content).join(", ")
}
