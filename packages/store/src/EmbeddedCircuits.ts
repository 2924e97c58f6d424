/** Circuit breakers on one machine: an endpoint that one process found down is not called by the others either. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  type Admission,
  CircuitBreakerError,
  CircuitBreakerStore,
  CircuitBreakerStoreError,
  CircuitHalfOpen,
  CircuitOpen,
  type State,
  type Transition
} from "effect/persistence/CircuitBreaker"
import * as Schema from "effect/Schema"
import { Circuit, circuitAt, enter, leave } from "./CircuitState.ts"
import { JudgeDatabase } from "./EmbeddedJudgeDatabase.ts"

const Stored = Schema.fromJsonString(Circuit)
const encode = Schema.encodeSync(Stored)
const read = (stored: string | undefined, now: number): Circuit =>
  circuitAt(stored === undefined ? undefined : Schema.decodeSync(Stored)(stored), now)

/** Milliseconds that a trial is held without a word from its process: a killed one blocks the endpoint no longer than this. */
const LEASE_MILLIS = 10_000

const failed = (cause: unknown) =>
  new CircuitBreakerError({
    reason: new CircuitBreakerStoreError({ message: cause instanceof Error ? cause.message : String(cause), cause })
  })

const movedTo = (key: string, from: Circuit, to: Circuit): Transition | undefined => {
  if (from.state === "HalfOpen" && to.state === "Closed") return { key, from: "HalfOpen", to: "Closed" }
  if (from.state === "Open" || from.state === to.state || to.state !== "Open") return undefined
  const retryAfter = Duration.millis(to.openFor)
  return { key, from: from.state, to: "Open", retryAfter, consecutiveOpenings: to.openings }
}

const shown = (key: string, circuit: Circuit, now: number): State => {
  const { openings: consecutiveOpenings } = circuit
  if (circuit.state === "Closed") return { _tag: "Closed", key }
  return circuit.state === "Open"
    ? { _tag: "Open", key, retryAfter: Duration.millis(Math.max(0, circuit.openUntil - now)), consecutiveOpenings }
    : { _tag: "HalfOpen", key, probing: now < circuit.leaseUntil, consecutiveOpenings }
}

/** Keeps circuits in the judges' file. */
export const layer: Layer.Layer<CircuitBreakerStore, never, JudgeDatabase> = Layer.effect(
  CircuitBreakerStore,
  Effect.map(JudgeDatabase, ({ change, state }) => {
    const move = <A>(key: string, step: (circuit: Circuit, now: number) => readonly [Circuit, A]) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.try({
          try: () =>
            change(`circuit/${key}`, (stored) => {
              const [next, result] = step(read(stored, now), now)
              return { state: encode(next), result }
            }),
          catch: failed
        })
      )

    /** Holds a trial for as long as its call lasts. */
    const hold = Effect.fnUntraced(function* (key: string, generation: number) {
      for (let held = true; held;) {
        yield* Effect.sleep(LEASE_MILLIS / 3)
        held = yield* move(key, (circuit, now) =>
          circuit.generation === generation && circuit.state === "HalfOpen"
            ? ([{ ...circuit, leaseUntil: now + LEASE_MILLIS }, true] as const)
            : ([circuit, false] as const)
        ).pipe(Effect.orElseSucceed(() => true))
      }
    })

    return CircuitBreakerStore.of({
      admit: Effect.fnUntraced(function* (key) {
        const entrance = yield* move(key, (circuit, now) => enter(circuit, now, LEASE_MILLIS))
        if (entrance.kind === "open")
          return yield* new CircuitBreakerError({
            reason: new CircuitOpen({ key, retryAfter: Duration.millis(entrance.millis) })
          })
        if (entrance.kind === "trying") return yield* new CircuitBreakerError({ reason: new CircuitHalfOpen({ key }) })
        const { admission, tried } = entrance
        if (admission.probe) yield* hold(key, admission.generation).pipe(Effect.interruptible, Effect.forkScoped)
        const transition: Transition | undefined = tried ? { key, from: "Open", to: "HalfOpen" } : undefined
        return { ...admission, transition } satisfies Admission
      }),
      record: ({ generation, key, openFor, outcome, tripPolicy }) =>
        move(key, (circuit, now) => {
          const call = { generation, outcome, tripPolicy, openFor: Duration.toMillis(openFor) }
          const next = leave(circuit, call, now)
          return [next, movedTo(key, circuit, next)] as const
        }),
      state: (key) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          Effect.try({ try: () => shown(key, read(state(`circuit/${key}`), now), now), catch: failed })
        )
    })
  })
)
