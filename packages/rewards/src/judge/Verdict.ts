/** Reading a judge's reply: it says yes or no in a stated form, or it is unreadable. "know" is not no, and "yes and no" is not yes. */

const WHOLE = /^\**(yes|no)\**[.!]?\**$/i
const STATED = /^\**judge?ment:?\**:?\s*\**(yes|no)\**[.!]?\**$/i

/**
 * Reads a reply: `yes` or `no` when that is the whole of it (any case, optional bold and final punctuation), or when its last line
 * is `Judgement: yes|no` and no earlier such line disagrees. Everything else is `unreadable`.
 */
export const readVerdict = (reply: string): "yes" | "no" | "unreadable" => {
  const text = reply.trim()
  const whole = WHOLE.exec(text)?.[1]?.toLowerCase()
  if (whole === "yes" || whole === "no") return whole
  const stated = text.split("\n").map((line) => STATED.exec(line.trim())?.[1]?.toLowerCase())
  const last = stated.at(-1)
  if (last !== "yes" && last !== "no") return "unreadable"
  return stated.every((said) => said === undefined || said === last) ? last : "unreadable"
}
