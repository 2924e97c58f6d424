import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import { idleFor, type Occupation } from "../src/commands/WorkerIdle.ts"

/** A clock whose sleeps take what is asked, and besides whatever `late` says of the n-th one; and what happens meanwhile. */
const clock = (late: (n: number) => number, during: (n: number) => Effect.Effect<void> = () => Effect.void) => {
  let [millis, slept] = [0, 0]
  const nanos = () => BigInt(millis) * 1_000_000n
  const service: Clock.Clock = {
    currentTimeMillisUnsafe: () => millis,
    currentTimeMillis: Effect.sync(() => millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.suspend(() => {
        slept++
        millis += Duration.toMillis(duration) + late(slept)
        return during(slept)
      })
  }
  return { service, slept: () => slept, millis: () => millis }
}

const nothing: Occupation = { busy: false, jobs: 0 }

describe("an idle worker", () => {
  it.effect("leaves when it has looked for work for so long", () =>
    Effect.gen(function* () {
      const time = clock(() => 0)
      const occupation = yield* Ref.make(nothing)
      yield* Effect.provideService(idleFor(occupation, 3), Clock.Clock, time.service)
      assert.deepStrictEqual([time.slept(), time.millis()], [31, 3100])
    })
  )

  it.effect("does not count the time in which it was stopped", () =>
    Effect.gen(function* () {
      // a minute at its second look, as by SIGSTOP or on a host that is busy elsewhere
      const time = clock((n) => (n === 2 ? 60_000 : 0))
      const occupation = yield* Ref.make(nothing)
      yield* Effect.provideService(idleFor(occupation, 3), Clock.Clock, time.service)
      assert.deepStrictEqual([time.slept(), time.millis()], [30, 63_000])
    })
  )

  it.effect("begins to count anew after a job, also after one that was over between two looks", () =>
    Effect.gen(function* () {
      const occupation = yield* Ref.make(nothing)
      const time = clock(
        () => 0,
        (n) => {
          if (n === 10) return Ref.set(occupation, { busy: true, jobs: 1 })
          if (n === 40) return Ref.set(occupation, { busy: false, jobs: 1 })
          return n === 50 ? Ref.set(occupation, { busy: false, jobs: 2 }) : Effect.void
        }
      )
      yield* Effect.provideService(idleFor(occupation, 3), Clock.Clock, time.service)
      assert.strictEqual(time.slept(), 50 + 31)
    })
  )
})
