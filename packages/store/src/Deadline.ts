/**
 * A deadline that holds wherever a call is made. A race against a sleep, as `Effect.timeout` is, waits for its loser, and in a finalizer or another region
 * that cannot be interrupted that is the sleep: an answer of a millisecond would take as long as the deadline.
 */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** Runs an effect in a fiber of its own; after the deadline gives what `late` gives, and lets go of the effect without waiting for it. */
export const within = <A, E, R, A2, E2>(
  effect: Effect.Effect<A, E, R>,
  deadline: Duration.Duration,
  late: () => Effect.Effect<A2, E2>
): Effect.Effect<A | A2, E | E2, R> =>
  Effect.gen(function* () {
    const first = yield* Deferred.make<A | A2, E | E2>()
    const settles = <A3 extends A | A2, E3 extends E | E2, R3>(one: Effect.Effect<A3, E3, R3>) =>
      Effect.forkDetach(Effect.interruptible(Effect.onExit(one, (exit) => Deferred.done(first, exit))), {
        startImmediately: true
      })
    const working = yield* settles(effect)
    if (yield* Deferred.isDone(first)) return yield* Deferred.await(first)
    const waiting = yield* settles(Effect.andThen(Effect.sleep(deadline), Effect.suspend(late)))
    const letGo = Effect.sync(() => {
      working.interruptUnsafe()
      waiting.interruptUnsafe()
    })
    return yield* Effect.ensuring(Deferred.await(first), letGo)
  })
