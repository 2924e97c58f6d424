/** Progress as text: what is done, how fast, how long it will take. Pure. */
import type { ProgressEvent } from "@gradus/experiment/Progress"

/** Since when a stage is watched, and how much of it was done by then (a resumed stage does not begin at 0). */
export interface Watched {
  readonly stage: string
  readonly since: number
  readonly from: number
}

/** Writes a time as `0:27` or `1:02:03`. */
export const clock = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds))
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (n: number): string => String(n).padStart(2, "0")
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

/** Cuts a line to a terminal's width: one that wraps could not be rewritten in place. */
export const fitting = (line: string, columns: number | undefined): string =>
  columns !== undefined && columns > 0 && line.length >= columns ? `${line.slice(0, columns - 2)}…` : line

/** Follows an event: a new stage starts its own clock (milliseconds). The event that opens a stage counts as its beginning. */
export const watch = (before: Watched | undefined, event: ProgressEvent, now: number): Watched =>
  before?.stage === event.stage ? before : { stage: event.stage, since: now, from: event.done }

/** Writes an event, e.g. `train 12/50 steps, 1.4 steps/s, 0:27 left, reward 0.41`. */
export const progressLine = (watched: Watched, event: ProgressEvent, now: number): string => {
  const seconds = (now - watched.since) / 1000
  const done = event.done - watched.from
  const parts = [`${event.stage} ${event.done}/${event.total} ${event.unit}`]
  if (done > 0 && seconds > 0) {
    const rate = done / seconds
    parts.push(`${rate >= 10 ? rate.toFixed(0) : rate.toFixed(2)} ${event.unit}/s`)
    if (event.done < event.total) parts.push(`${clock((event.total - event.done) / rate)} left`)
  }
  if (event.note !== undefined) parts.push(event.note)
  return parts.join(", ")
}
