/** Compares answers with a truth by a named rule. */
import type { Accuracy } from "./Accuracy.ts"
import { choice } from "./Choice.ts"
import { exact } from "./Exact.ts"
import { math } from "./Math.ts"
import { numeric } from "./Numeric.ts"

/** Rules that compare one answer with the truth. */
export type ComparingRule = "exact" | "numeric" | "math" | "choice"

const COMPARE: Readonly<Record<ComparingRule, (answer: string | null, gold: string) => Accuracy>> = {
  exact,
  numeric,
  math,
  choice
}

/** Compares the answers that a rule lets count with the truth: one right answer is enough. */
export const compareAnswers = (rule: ComparingRule, answers: ReadonlyArray<string>, gold: string): Accuracy => {
  const compared = (answers.length === 0 ? [null] : answers).map((answer) => COMPARE[rule](answer, gold))
  return (
    compared.find((accuracy) => accuracy.kind === "unscored" || accuracy.value === 1) ??
    compared.at(-1) ?? { kind: "scored", value: 0 }
  )
}
