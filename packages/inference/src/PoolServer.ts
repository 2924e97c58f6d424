/** One server of a pool: what it was asked, how it does, what it can. Mutable: a pool owns its servers. */
import { type LimitKey, type SampleRoute, sampleUrl, shownUrl } from "./SampleApi.ts"
import * as Health from "./ServerHealth.ts"

export interface PoolServer {
  /** As it was given, and as it is shown. */
  readonly given: string
  readonly endpoint: string
  readonly url: string
  health: Health.ServerHealth
  inFlight: number
  requests: number
  /** Samples that a request may ask for: 1 once the server has shown that it gives no more. */
  choices: number
  /** Whether it ever gave more than one. */
  manyGiven: boolean
  limit: LimitKey
  /** When it last answered. */
  lastAnswer: number
  /** Failures since then. */
  failuresInARow: number
  /** Since when it has only failed; null while it answers. */
  silentSince: number | null
  /** Of the last failure. */
  reason: string
}

/** How a server does. */
export interface ServerReading {
  readonly endpoint: string
  readonly requests: number
  readonly answers: number
  readonly latencyMillis: number | null
  readonly state: "ok" | "slow" | "down"
}

/** Milliseconds between two looks at a server that is left out. */
const LOOK_MILLIS = 100

/** Makes a server of which nothing is known. */
export const makeServer = (endpoint: string, api: SampleRoute, choices: number): PoolServer => ({
  given: endpoint,
  endpoint: shownUrl(endpoint),
  url: sampleUrl(endpoint, api),
  health: Health.unknown,
  inFlight: 0,
  requests: 0,
  choices,
  manyGiven: false,
  limit: "max_tokens",
  lastAnswer: -1,
  failuresInARow: 0,
  silentSince: null,
  reason: ""
})

/** Takes an answer with so many of the samples that it was asked for. */
export const took = (server: PoolServer, asked: number, given: number, sent: number, now: number): void => {
  server.health = Health.answered(server.health, now - sent)
  server.silentSince = null
  server.failuresInARow = 0
  server.lastAnswer = now
  if (given > 1) server.manyGiven = true
  else if (asked > 1 && !server.manyGiven) server.choices = 1
}

/**
 * Learns from a request that a server dislikes, where it may be its form: another name for the limit, or `n`. Says whether the same samples may be had
 * now. One that is refused alone as well says nothing against `n`.
 */
export const learned = (server: PoolServer, asked: number, choices: number, reason: string): boolean => {
  if (server.limit === "max_tokens" && reason.includes("max_completion_tokens")) {
    server.limit = "max_completion_tokens"
    return true
  }
  if (server.manyGiven) return false
  server.choices = asked > 1 ? 1 : choices
  return asked > 1
}

/** Takes a failure that may be an outage. */
export const broke = (server: PoolServer, reason: string, sent: number, now: number): void => {
  server.health = Health.failed(server.health, sent, now)
  server.silentSince ??= now
  server.failuresInARow++
  server.reason = reason
}

/** Takes the wish to be left alone. */
export const hold = (server: PoolServer, reason: string, millis: number, now: number): void => {
  server.health = Health.held(server.health, millis, now)
  server.silentSince ??= now
  server.reason = reason
}

/** Whether a server has only failed for longer than there is patience, or asks for more of it than there is. */
export const isSilent = ({ health, silentSince }: PoolServer, patienceMillis: number, now: number): boolean =>
  silentSince !== null && Math.max(now, health.heldUntil) > silentSince + patienceMillis

/** Milliseconds that a place of a server waits before it asks; 0: it asks. A server that is alone is never too slow for itself. */
export const pauseOf = (
  server: PoolServer,
  all: ReadonlyArray<PoolServer>,
  concurrency: number,
  now: number
): number => {
  const { health, inFlight } = server
  if (all.length === 1 && health.openings === 0 && health.heldUntil === 0) return 0
  const least = Health.fastest(all.map((one) => one.health))
  if (inFlight < Health.allowance(health, least, now, concurrency)) return 0
  return Math.max(LOOK_MILLIS, Math.min(health.heldUntil - now, 1000))
}

/** Reads how each server does. */
export const readingsOf = (servers: ReadonlyArray<PoolServer>): ReadonlyArray<ServerReading> => {
  const least = Health.fastest(servers.map(({ health }) => health))
  return servers.map(({ endpoint, health, requests, silentSince }) => ({
    endpoint,
    requests,
    answers: health.answers,
    latencyMillis: health.latency === null ? null : Math.round(health.latency),
    state: Health.isOpen(health) || silentSince !== null ? "down" : Health.isSlow(health, least) ? "slow" : "ok"
  }))
}
