/** Answer rules: which part of a completion is compared with the truth. */
import type { AnswerRule } from "@gradus/domain/manifest/Rewards"
import { allNumbers, firstNumber, lastNumber, plainNumber, readNumber } from "./accuracy/NumberText.ts"
import { lastBoxed } from "./answer/Boxed.ts"
import { afterLastHash, answerLetter, answerTags, answerWord } from "./answer/Marked.ts"
import { mathLast } from "./answer/MathLast.ts"

const CLOSE = "</think>"

/** Takes what stands after the last `</think>`; the whole text when there is no tag; nothing when a thought was never closed. */
const afterThink = (completion: string): string | null => {
  const close = completion.lastIndexOf(CLOSE)
  if (close >= 0) return completion.slice(close + CLOSE.length).trim()
  return completion.includes("<think>") ? null : completion.trim()
}

/** The last number where it is whole; markdown around it is no part of it. */
const finalInteger = (text: string): string | null => {
  const last = lastNumber(text.replaceAll("*", " "))
  const reading = last === null ? null : readNumber(last)
  return reading?.integer === undefined || reading.integer === null ? null : String(reading.integer)
}

const take = (rule: Exclude<AnswerRule, "whole">, text: string): string | null => {
  switch (rule) {
    case "after_think":
    case "after_think_optional":
    case "after_think_required":
      return text
    case "gsm8k_hash_last":
      return afterLastHash(text)
    case "numeric_end":
    case "numeric_any":
      return lastNumber(text)
    case "numeric_begin":
      return firstNumber(text)
    case "numeric_exact":
      return plainNumber(text)
    case "final_int":
      return finalInteger(text)
    case "boxed_last":
      return lastBoxed(text)
    case "answer_word":
      return answerWord(text, "first")
    case "answer_word_last":
      return answerWord(text, "last")
    case "answer_letter":
      return answerLetter(text)
    case "xml_answer_last":
      return answerTags(text).at(-1) ?? null
    case "math_last":
      return mathLast(text)
  }
}

/**
 * Takes the answer from a completion; null where there is none. `whole` is the completion as it is, thoughts and all; the
 * other rules look only at what stands after the last `</think>`. The rules are described at `AnswerRule`.
 */
export const takeAnswer = (rule: AnswerRule, completion: string): string | null => {
  if (rule === "whole") return completion.trim()
  if (rule === "after_think_required" && !completion.includes(CLOSE)) return null
  const text = afterThink(completion)
  return text === null ? null : take(rule, text)
}

/** How many numbers `numeric_any` offers. */
const MAX_OFFERED = 64

/**
 * Takes the answers that a rule lets count: one of them must be right. All rules but `numeric_any` let one count, the one that
 * `takeAnswer` gives.
 */
export const takeAnswers = (rule: AnswerRule, completion: string): ReadonlyArray<string> => {
  const answer = takeAnswer(rule, completion)
  if (answer === null) return []
  return rule === "numeric_any" ? allNumbers(afterThink(completion) ?? "").slice(-MAX_OFFERED) : [answer]
}
