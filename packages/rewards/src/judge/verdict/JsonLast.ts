/** `json_last`: the last JSON object of the reply, whose `verdict` or `score` is of its form. */
import { jsonObjects } from "./JsonObjects.ts"
import type { Read, Reading } from "./Reading.ts"

/** A score is a share of right, or a whole number of points. */
const isScore = (score: unknown): score is number =>
  typeof score === "number" && Number.isFinite(score) && score >= 0 && (score <= 1 || Number.isInteger(score))

const meaning = (verdict: unknown, score: unknown): Read["value"] => {
  if (verdict !== undefined) return verdict === "yes" ? 1 : 0
  return isScore(score) && score <= 1 ? score : null
}

/**
 * Reads the last object. `{"verdict": "yes" | "no"}`, exactly so, is the form that the judge is asked for; `{"score": n}` with n in
 * [0, 1] or a whole number of points is read too. A verdict or a score of another kind is unreadable, never a silent 0 or 1.
 */
export const jsonLast = (reply: string): Reading => {
  const last = jsonObjects(reply).at(-1)
  if (last === undefined) return "unreadable"
  const { verdict, score } = last
  if (verdict !== undefined && verdict !== "yes" && verdict !== "no") return "unreadable"
  if (score !== undefined && !isScore(score)) return "unreadable"
  return { label: last, value: meaning(verdict, score) }
}
