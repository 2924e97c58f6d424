/**
 * Whether a server is asked now, by how it has answered: a circuit breaker for each server, its smoothed time for an answer, and a hold where the
 * server itself said how long to wait. Pure: states in, states out, times in milliseconds of any clock that only goes forward.
 */

export interface ServerHealth {
  /** Failures in a row, of requests that were sent since the circuit last closed. */
  readonly failures: number
  /** How often in a row the circuit has opened. */
  readonly openings: number
  /** Nothing is sent before this time. */
  readonly heldUntil: number
  /** When the circuit last opened: what was sent before says nothing new. */
  readonly openedAt: number
  /** Exponentially smoothed milliseconds for an answer; null before the first. */
  readonly latency: number | null
  readonly answers: number
}

/** So many failures in a row open the circuit. */
const FAILURES = 5
const OPEN_MILLIS = 500
const LONGEST_MILLIS = 30_000
/** Weight of a new answer in the smoothed time. */
const WEIGHT = 0.1
/** A server that takes so many times longer than the fastest is slow, once both have given so many answers. */
const SLOW_FACTOR = 4
const KNOWN_ANSWERS = 8

/** A server of which nothing is known. */
export const unknown: ServerHealth = {
  failures: 0,
  openings: 0,
  heldUntil: 0,
  openedAt: -1,
  latency: null,
  answers: 0
}

/** Whether the circuit is open or is being tried. */
export const isOpen = (health: ServerHealth): boolean => health.openings > 0

/** Takes an answer: the circuit closes. Any HTTP answer that is not an outage counts. */
export const answered = (health: ServerHealth, millis: number): ServerHealth => ({
  ...health,
  failures: 0,
  openings: 0,
  latency: health.latency === null ? millis : health.latency + WEIGHT * (millis - health.latency),
  answers: health.answers + 1
})

const open = (health: ServerHealth, now: number): ServerHealth => {
  const millis = Math.min(OPEN_MILLIS * 2 ** health.openings, LONGEST_MILLIS)
  return {
    ...health,
    failures: 0,
    openings: health.openings + 1,
    openedAt: now,
    heldUntil: Math.max(health.heldUntil, now + millis)
  }
}

/** Takes a failure of a request that was sent at `sent`: five in a row open the circuit, then each failed try opens it for twice as long, up to 30 s. */
export const failed = (health: ServerHealth, sent: number, now: number): ServerHealth => {
  if (sent < health.openedAt) return health
  if (isOpen(health) || health.failures + 1 >= FAILURES) return open(health, now)
  return { ...health, failures: health.failures + 1 }
}

/** Holds a server back for as long as it asked (Retry-After): that is no failure. */
export const held = (health: ServerHealth, millis: number, now: number): ServerHealth => ({
  ...health,
  heldUntil: Math.max(health.heldUntil, now + millis)
})

/** The least smoothed time of servers that work and are known. */
export const fastest = (all: ReadonlyArray<ServerHealth>): number | null =>
  all.reduce<number | null>(
    (least, { answers, latency, openings }) =>
      latency === null || answers < KNOWN_ANSWERS || openings > 0 || (least !== null && least <= latency)
        ? least
        : latency,
    null
  )

/** Whether a server is so slow that it is left out: it then gets one request at a time, by which it can show that it is fast again. */
export const isSlow = (health: ServerHealth, least: number | null): boolean =>
  least !== null && health.latency !== null && health.answers >= KNOWN_ANSWERS && health.latency > SLOW_FACTOR * least

/** How many requests a server may have in flight now: all, one (slow, or its circuit is being tried), or none. */
export const allowance = (health: ServerHealth, least: number | null, now: number, concurrency: number): number => {
  if (now < health.heldUntil) return 0
  return isOpen(health) || isSlow(health, least) ? 1 : concurrency
}
