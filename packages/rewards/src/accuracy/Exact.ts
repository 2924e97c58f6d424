/** Exact accuracy: the answer is the truth, character for character. */
import type { Accuracy } from "./Accuracy.ts"

const canonical = (text: string): string => text.normalize("NFC").trim()

/** Compares texts in Unicode's composed form, without white space around them; case counts. An empty truth cannot be compared with. */
export const exact = (answer: string | null, gold: string): Accuracy => {
  const truth = canonical(gold)
  if (truth === "") return { kind: "unscored", reason: "gold_unreadable" }
  return { kind: "scored", value: answer !== null && canonical(answer) === truth ? 1 : 0 }
}
