/** How a run stands, as far as its files say: no lease is asked, so a process that was killed looks at work for as long as a slow one may be silent. */
import type { RunEntry } from "@gradus/domain/RunIndex"

export type RunState = "finished" | "running" | "stopped"

/** An owner that wrote nothing for so long is taken for dead. */
const SILENT_MS = 10 * 60_000

/** Says how a run stands at a moment (ms since 1970): running is one whose owner has not left and wrote lately. */
export const runState = (
  { changed, finished, owned }: Pick<RunEntry, "changed" | "finished" | "owned">,
  now: number
): RunState => {
  if (finished) return "finished"
  return owned !== null && now - Math.max(owned, changed ?? 0) < SILENT_MS ? "running" : "stopped"
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000]
] as const

/** Writes how long ago a moment was, in its largest unit. */
export const ago = (then: number, now: number): string => {
  const past = Math.max(0, now - then)
  const [unit, ms] = UNITS.find(([, size]) => past >= size) ?? ["s", 1000]
  return `${Math.floor(past / ms)} ${unit} ago`
}
