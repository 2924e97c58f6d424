/** Format rules: whether a completion thinks where it was told to, and only there (paper, section 5). */
import type { Thinking } from "@gradus/domain/Question"
import type { FormatRule } from "@gradus/domain/manifest/Rewards"

const OPEN = "<think>"
const CLOSE = "</think>"

const occurrences = (text: string, tag: string): number => text.split(tag).length - 1

const thinksOnce = (completion: string): boolean => {
  if (occurrences(completion, OPEN) !== 1 || occurrences(completion, CLOSE) !== 1) return false
  const open = completion.indexOf(OPEN)
  const close = completion.indexOf(CLOSE)
  return (
    completion.slice(0, open).trim() === "" &&
    close > open + OPEN.length &&
    completion.slice(close + CLOSE.length).trim() !== ""
  )
}

/**
 * Scores the format of a completion: 1 kept, 0 broken, undefined where the rule is `none`.
 *
 * `thinking`: with detailed thinking on, exactly one `<think>` and then exactly one `</think>`, with an answer after it; with thinking
 * off, neither tag. Two choices of ours that the paper does not print: before `<think>` only white space is allowed, and
 * at least one character stands between the tags (so that an empty thought is no way around thinking).
 */
export const formatScore = (rule: FormatRule, completion: string, thinking: Thinking): 0 | 1 | undefined => {
  if (rule === "none") return undefined
  const kept = thinking === "on" ? thinksOnce(completion) : !completion.includes(OPEN) && !completion.includes(CLOSE)
  return kept ? 1 : 0
}
