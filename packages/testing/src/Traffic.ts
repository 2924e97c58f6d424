/** Counts what a loopback server was asked: requests, how many at once, how many were given up by the client. */
import * as Effect from "effect/Effect"

export interface Traffic {
  readonly requests: number
  /** Requests that are being answered now. */
  readonly inFlight: number
  /** The most that were answered at once. */
  readonly peak: number
  /** Requests whose answer was interrupted (the client left, or the connection was broken on purpose). */
  readonly interrupted: number
}

export interface Counter {
  readonly read: Effect.Effect<Traffic>
  /** Counts an answer that is worked on by `answer`, which is told its index from 0. */
  readonly count: <A, E, R>(answer: (index: number) => Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** Makes a counter that starts at 0. */
export const make = (): Counter => {
  let traffic: Traffic = { requests: 0, inFlight: 0, peak: 0, interrupted: 0 }
  const enter = (): number => {
    const inFlight = traffic.inFlight + 1
    traffic = { ...traffic, requests: traffic.requests + 1, inFlight, peak: Math.max(traffic.peak, inFlight) }
    return traffic.requests - 1
  }
  const leave = () => {
    traffic = { ...traffic, inFlight: traffic.inFlight - 1 }
  }
  const interrupt = () => {
    traffic = { ...traffic, interrupted: traffic.interrupted + 1 }
  }
  return {
    read: Effect.sync(() => traffic),
    count: (answer) =>
      Effect.suspend(() => answer(enter())).pipe(
        Effect.onInterrupt(() => Effect.sync(interrupt)),
        Effect.ensuring(Effect.sync(leave))
      )
  }
}
