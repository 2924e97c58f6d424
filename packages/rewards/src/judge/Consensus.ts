/** One verdict from several replies: orders and repetitions of one judge must agree, judges of a panel vote. */

export type Word = "yes" | "no" | "unreadable" | "failed"

/** The verdict of one judge that was asked more than once: what all replies say; where they differ, nobody can read it. */
export const unanimous = (words: ReadonlyArray<Word>): Word => {
  const [first = "failed", ...rest] = words
  if (words.includes("failed")) return "failed"
  return rest.every((word) => word === first) ? first : "unreadable"
}

/**
 * The verdict of a panel: yes or no where more than half of all seats say so; seats that failed or were unreadable count as seats, so
 * that one judge never decides for three. Without a majority: failed where a failed seat could have made one, else unreadable.
 */
export const majority = (words: ReadonlyArray<Word>): Word => {
  const count = (word: Word): number => words.filter((one) => one === word).length
  const needed = Math.floor(words.length / 2) + 1
  if (count("yes") >= needed) return "yes"
  if (count("no") >= needed) return "no"
  const best = Math.max(count("yes"), count("no"))
  return best + count("failed") >= needed && count("failed") > 0 ? "failed" : "unreadable"
}
