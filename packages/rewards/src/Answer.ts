/** Answer rules: which part of a completion is compared with the truth. */
import type { AnswerRule } from "@gradus/domain/manifest/Rewards"
import { lastNumber, plainNumber } from "./accuracy/NumberText.ts"

/** Takes what stands after the last `</think>`; the whole text when there is no tag; nothing when a thought was never closed. */
const afterThink = (completion: string): string | null => {
  const close = completion.lastIndexOf("</think>")
  if (close >= 0) return completion.slice(close + "</think>".length).trim()
  return completion.includes("<think>") ? null : completion.trim()
}

/** Takes what stands after the last `####` of its line, as GSM8K writes it; a number loses currency and thousands separators. */
const afterLastHash = (text: string): string | null => {
  const mark = text.lastIndexOf("####")
  if (mark < 0) return null
  const line = (text.slice(mark + "####".length).split("\n", 1)[0] ?? "").replace(/^:/, "").trim()
  return plainNumber(line) ?? line
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

/** Takes what stands in the last `\boxed{…}` or `\fbox{…}`; nothing when that box is never closed. */
const lastBoxed = (text: string): string | null => {
  const mark = Math.max(text.lastIndexOf("\\boxed{"), text.lastIndexOf("\\fbox{"))
  if (mark < 0) return null
  const open = text.indexOf("{", mark)
  const close = closingBrace(text, open)
  return close < 0 ? null : text.slice(open + 1, close).trim()
}

/**
 * Takes the answer from a completion; null where there is none. `whole` is the completion as it is, thoughts and all; the
 * other rules look only at what stands after the last `</think>`.
 */
export const takeAnswer = (rule: AnswerRule, completion: string): string | null => {
  if (rule === "whole") return completion.trim()
  const text = afterThink(completion)
  if (text === null) return null
  switch (rule) {
    case "after_think":
      return text
    case "gsm8k_hash_last":
      return afterLastHash(text)
    case "numeric_end":
      return lastNumber(text)
    case "boxed_last":
      return lastBoxed(text)
  }
}
