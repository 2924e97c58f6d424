/** What every run lease does, whatever keeps it. */
import { RunLease } from "@gradus/domain/RunLease"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { directory } from "./stores.ts"

/** Opens a store: every call of what it gives is a client of its own. */
export type OpenLease<E> = Effect.Effect<() => Layer.Layer<RunLease, E>, never, Scope.Scope>

export const nobody = { number: 0, record: undefined }

export const runLeaseContract = <E>(name: string, open: OpenLease<E>): void => {
  /** A client that stays with the test's scope. */
  const clientOf = (store: () => Layer.Layer<RunLease, E>) =>
    Effect.map(Layer.build(Layer.fresh(store())), (context) => context)

  describe(`a run lease: ${name}`, () => {
    it.live("each owner gets a higher number than the last", () =>
      Effect.gen(function* () {
        const run = yield* directory
        const lease = Effect.provide(RunLease, yield* clientOf(yield* open))
        const numbers = yield* Effect.forEach([1, 2, 3], () =>
          Effect.scoped(Effect.flatMap(lease, (one) => one.acquire(run, nobody))).pipe(
            Effect.map(({ record }) => record.number)
          )
        )
        assert.deepStrictEqual(numbers, [1, 2, 3])
      })
    )

    it.live("a number that the directory has seen is never given again, even where the store knows nothing of it", () =>
      Effect.gen(function* () {
        const run = yield* directory
        const lease = yield* Effect.provide(RunLease, yield* clientOf(yield* open))
        const { record } = yield* lease.acquire(run, { number: 41, record: undefined })
        assert.strictEqual(record.number, 42)
      })
    )

    it.live("of two clients that want a run at the same moment one gets it, and the other is told who", () =>
      Effect.gen(function* () {
        const run = yield* directory
        const store = yield* open
        const one = yield* Effect.provide(RunLease, yield* clientOf(store))
        const two = yield* Effect.provide(RunLease, yield* clientOf(store))
        const results = yield* Effect.forEach([one, two], (lease) => Effect.result(lease.acquire(run, nobody)), {
          concurrency: 2
        })
        const refused = results.flatMap((result) => (result._tag === "Failure" ? [result.failure] : []))
        assert.strictEqual(refused.length, 1)
        assert.deepInclude(refused[0], { _tag: "RunOwned", directory: run })
        assert.include(refused[0]?.message, "another process is working on")
      })
    )

    it.live("two runs do not stand in each other's way", () =>
      Effect.gen(function* () {
        const lease = yield* Effect.provide(RunLease, yield* clientOf(yield* open))
        const first = yield* lease.acquire(yield* directory, nobody)
        const second = yield* lease.acquire(yield* directory, nobody)
        assert.deepStrictEqual([first.record.number, second.record.number], [1, 1])
      })
    )

    it.live("a holder verifies; one who gives back lets the next in with a higher number", () =>
      Effect.gen(function* () {
        const run = yield* directory
        const store = yield* open
        const one = yield* Effect.provide(RunLease, yield* clientOf(store))
        const two = yield* Effect.provide(RunLease, yield* clientOf(store))
        yield* Effect.scoped(Effect.flatMap(one.acquire(run, nobody), (hold) => hold.verify))
        const next = yield* two.acquire(run, nobody)
        yield* next.verify
        assert.strictEqual(next.record.number, 2)
      })
    )
  })
}
