/** `hash_pass_fail_last`: the last line `### PASS` or `### FAIL`. */
import type { Reading } from "./Reading.ts"

const LINE = /^###\s+(PASS|FAIL)\s*$/gm

/** Reads the last heading that is one of the two words and nothing else. */
export const hashPassFailLast = (reply: string): Reading => {
  const last = [...reply.matchAll(LINE)].at(-1)?.[1]
  return last === undefined ? "unreadable" : { label: last, value: last === "PASS" ? 1 : 0 }
}
