/** `yes_no`, our own: the whole reply is yes or no, or its last line says `Judgement: yes`. "know" is not no, and "yes and no" is not yes. */
import { type Reading, yesOrNo } from "./Reading.ts"

// with counted repetitions: a reply of nothing but asterisks must not cost time
const WHOLE = /^\*{0,4}(yes|no)\*{0,4}[.!]?\*{0,4}$/i
const STATED = /^\*{0,4}judge?ment:?\*{0,4}:?\s{0,8}\*{0,4}(yes|no)\*{0,4}[.!]?\*{0,4}$/i

/**
 * Reads `yes` or `no` when that is the whole of the reply (any case, optional bold and final punctuation), or when its last line
 * is `Judgement: yes|no` and no earlier such line disagrees.
 */
export const yesNo = (reply: string): Reading => {
  const text = reply.trim()
  const whole = WHOLE.exec(text)?.[1]?.toLowerCase()
  if (whole === "yes" || whole === "no") return yesOrNo(whole)
  const stated = text.split("\n").map((line) => STATED.exec(line.trim())?.[1]?.toLowerCase())
  const last = stated.at(-1)
  if (last !== "yes" && last !== "no") return "unreadable"
  return stated.every((said) => said === undefined || said === last) ? yesOrNo(last) : "unreadable"
}
