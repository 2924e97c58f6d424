/** A circuit as a value, and how it moves: closed, open after too many failures, half open while one call tries the endpoint. Pure. */
import type { Admission, TripPolicy } from "effect/persistence/CircuitBreaker"
import * as Schema from "effect/Schema"

export const Circuit = Schema.Struct({
  state: Schema.Literals(["Closed", "Open", "HalfOpen"]),
  /** Raised with every transition: an outcome of an earlier one counts no more. */
  generation: Schema.Int,
  /** Failures in a row. */
  streak: Schema.Int,
  /** The latest outcomes, oldest first: 1 = failed. */
  recent: Schema.String,
  /** When it was last used, is open to, was opened last for, and its count of openings starts again (ms). */
  used: Schema.Finite,
  openUntil: Schema.Finite,
  openFor: Schema.Finite,
  resetAt: Schema.Finite,
  /** Times that it has opened without having been well since. */
  openings: Schema.Int,
  /** Until when the process that tries the endpoint holds the trial; 0: nobody does. */
  leaseUntil: Schema.Finite
})
export type Circuit = typeof Circuit.Type

const FRESH: Circuit = {
  state: "Closed",
  generation: 1,
  streak: 0,
  recent: "",
  used: 0,
  openUntil: 0,
  openFor: 0,
  resetAt: 0,
  openings: 0,
  leaseUntil: 0
}

/** Milliseconds after which nobody remembers failures that did not open the circuit. */
const FORGOTTEN = 3_600_000

/** How a call is let in, or why not: milliseconds until the circuit may be tried (`open`), or another call tries it now (`trying`). */
export type Entrance =
  | { readonly kind: "in"; readonly admission: Omit<Admission, "transition">; readonly tried: boolean }
  | { readonly kind: "open"; readonly millis: number }
  | { readonly kind: "trying" }

/** The circuit as it stands at a time; a new one where nothing is known. */
export const circuitAt = (stored: Circuit | undefined, now: number): Circuit =>
  stored === undefined ? FRESH : now - stored.used < FORGOTTEN ? stored : { ...stored, streak: 0, recent: "" }

/** Lets a call in. Only one at a time may try a circuit that was open, and only for as long as its lease lasts. */
export const enter = (circuit: Circuit, now: number, lease: number): readonly [Circuit, Entrance] => {
  const { generation, openings, state } = circuit
  if (state === "Closed") {
    const left = openings > 0 && now >= circuit.resetAt ? 0 : openings
    const admission = { generation, probe: false, consecutiveOpenings: left }
    return [
      { ...circuit, openings: left, used: now },
      { kind: "in", admission, tried: false }
    ]
  }
  if (state === "Open" && now < circuit.openUntil) return [circuit, { kind: "open", millis: circuit.openUntil - now }]
  if (state === "HalfOpen" && now < circuit.leaseUntil) return [circuit, { kind: "trying" }]
  const next = {
    ...circuit,
    state: "HalfOpen",
    generation: generation + 1,
    leaseUntil: now + lease,
    used: now
  } as const
  const admission = { generation: next.generation, probe: true, consecutiveOpenings: openings }
  return [next, { kind: "in", admission, tried: state === "Open" }]
}

const opened = (circuit: Circuit, now: number, openFor: number): Circuit => ({
  ...circuit,
  state: "Open",
  generation: circuit.generation + 1,
  streak: 0,
  recent: "",
  openUntil: now + openFor,
  openFor,
  openings: circuit.openings + 1,
  leaseUntil: 0
})

const closed = (circuit: Circuit, now: number): Circuit => ({
  ...circuit,
  state: "Closed",
  generation: circuit.generation + 1,
  streak: 0,
  recent: "",
  resetAt: now + circuit.openFor,
  leaseUntil: 0
})

const trips = ({ recent, streak }: Circuit, policy: TripPolicy): boolean => {
  if (policy._tag === "Consecutive") return streak >= policy.failures
  const failures = recent.split("1").length - 1
  return recent.length >= policy.minimumCalls && failures > 0 && failures / recent.length >= policy.threshold
}

export interface Outcome {
  readonly generation: number
  readonly outcome: "Success" | "Failure" | "Ignored"
  readonly tripPolicy: TripPolicy
  readonly openFor: number
}

/** Takes the outcome of a call that was let in; one of an earlier generation changes nothing. */
export const leave = (
  circuit: Circuit,
  { generation, openFor, outcome, tripPolicy }: Outcome,
  now: number
): Circuit => {
  if (circuit.generation !== generation) return circuit
  const used = { ...circuit, used: now }
  if (circuit.state === "HalfOpen") {
    if (outcome === "Failure") return opened(used, now, openFor)
    // the trial is free again, and a renewal of this one that is under way counts no more
    return outcome === "Success" ? closed(used, now) : { ...used, generation: generation + 1, leaseUntil: 0 }
  }
  if (circuit.state !== "Closed" || outcome === "Ignored") return used
  const failed = outcome === "Failure"
  const recent = tripPolicy._tag === "Rate" ? (circuit.recent + (failed ? "1" : "0")).slice(-tripPolicy.size) : ""
  const counted = { ...used, streak: failed ? circuit.streak + 1 : 0, recent }
  return trips(counted, tripPolicy) ? opened(counted, now, openFor) : counted
}
