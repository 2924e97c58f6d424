/** Numeric accuracy: the last number of the answer equals the truth. */
import type { Accuracy } from "./Accuracy.ts"
import { lastNumber, type Reading, readNumber } from "./NumberText.ts"

/** Two numbers are equal when they differ by no more than this share of the truth, unless both are whole. */
export const RELATIVE_TOLERANCE = 1e-6

const close = (value: number, truth: number, tolerance: number): boolean =>
  Math.abs(value - truth) <= tolerance * Math.abs(truth)

/**
 * Says whether two readings are the same number. Whole numbers are compared digit for digit. Where only one of them is a percentage,
 * the sign may be a unit (10 % for 10) or a factor (33.5 % for 0.335): either counts.
 */
export const sameNumber = (answer: Reading, truth: Reading, tolerance: number = RELATIVE_TOLERANCE): boolean => {
  const asWritten =
    answer.integer !== null && truth.integer !== null
      ? answer.integer === truth.integer
      : close(answer.value, truth.value, tolerance)
  if (asWritten || answer.percent === truth.percent) return asWritten
  return answer.percent
    ? close(answer.value / 100, truth.value, tolerance)
    : close(answer.value, truth.value / 100, tolerance)
}

const HASH = "####"

const readGold = (gold: string): Reading | null => {
  const mark = gold.lastIndexOf(HASH)
  return readNumber(mark < 0 ? gold : gold.slice(mark + HASH.length))
}

/**
 * Compares the answer's last number with the truth, which must be one number (or end in GSM8K's `#### number`), else the
 * completion is unscored. An answer without a number is wrong.
 */
export const numeric = (answer: string | null, gold: string, tolerance: number = RELATIVE_TOLERANCE): Accuracy => {
  const truth = readGold(gold)
  if (truth === null) return { kind: "unscored", reason: "gold_unreadable" }
  const said = answer === null ? null : (readNumber(answer) ?? readNumber(lastNumber(answer) ?? ""))
  return { kind: "scored", value: said !== null && sameNumber(said, truth, tolerance) ? 1 : 0 }
}
