/** `arena_hard_brackets`: the last of `[[A>>B]]`, `[[A>B]]`, `[[A=B]]`, `[[B>A]]`, `[[B>>A]]`, graded down to three labels. */
import type { Reading } from "./Reading.ts"

const BRACKETS = /\[\[([AB<>=]+)\]\]/gi

const GRADED: Readonly<Record<string, string>> = {
  "A>>B": "A>B",
  "A>B": "A>B",
  "B<A": "A>B",
  "B<<A": "A>B",
  "A=B": "A=B",
  "B=A": "A=B",
  "B>A": "B>A",
  "B>>A": "B>A",
  "A<B": "B>A",
  "A<<B": "B>A"
}

/** Reads which of two answers is better: `A>B`, `A=B` or `B>A`. A preference is no share of right, so it has no value. */
export const arenaHardBrackets = (reply: string): Reading => {
  const last = [...reply.matchAll(BRACKETS)].at(-1)?.[1]?.toUpperCase()
  const label = GRADED[last ?? ""]
  return label === undefined ? "unreadable" : { label, value: null }
}
