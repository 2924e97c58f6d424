/** Thoughts that are broken: what stands behind them is no answer that a judge may be asked about. */

const OPEN = "<think>"
const CLOSE = "</think>"

const count = (text: string, part: string): number => text.split(part).length - 1

/** How a thought is broken: it never ends, or ends more often than it begins (a template may have begun one). */
export type BrokenThought = "unfinished_thought" | "unopened_thought"

/** Looks at a whole completion; undefined where its thoughts are sound, or it has none. */
export const brokenThought = (completion: string): BrokenThought | undefined => {
  const closed = count(completion, CLOSE)
  const opened = count(completion, OPEN)
  if (closed === 0 && opened > 0) return "unfinished_thought"
  return closed > opened + 1 ? "unopened_thought" : undefined
}
