/** `choice_last`: the last line is one of the choices and nothing else. */
import type { Reading, VerdictOptions } from "./Reading.ts"

const PREFIX = /^(?:final\s+)?(?:answer|verdict|judge?ment|choice|grade)\s*:\s*/i
const AROUND = /^[\s*_`"'([]+|[\s*_`"')\].!]+$/g

/** A longer line names no choice alone, and looking for its end would cost time. */
const LONGEST_LINE = 1_000

const bare = (text: string): string => text.replace(AROUND, "")

/** Reads the choice; the first of n is worth 1, the last 0, those between in equal steps. "yes/no" and "not yes" are neither. */
export const choiceLast = (reply: string, { choices = ["yes", "no"] }: VerdictOptions): Reading => {
  const line = reply.trim().split("\n").at(-1) ?? ""
  if (line.length > LONGEST_LINE) return "unreadable"
  const said = bare(bare(line).replace(PREFIX, "")).toLowerCase()
  const index = choices.findIndex((choice) => choice.toLowerCase() === said)
  if (index < 0) return "unreadable"
  return { label: choices[index], value: choices.length < 2 ? 1 : 1 - index / (choices.length - 1) }
}
