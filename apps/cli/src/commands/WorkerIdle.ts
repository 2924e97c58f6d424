/**
 * When a worker has nothing to do. What counts is the time in which it could have taken a job: a process that was stopped, or that a busy host did not
 * let run, has looked for none, and one that left then would leave work behind.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"

export interface Occupation {
  readonly busy: boolean
  /** Jobs taken so far: one that is over before anybody looks was work all the same. */
  readonly jobs: number
}

const LOOK = Duration.millis(100)

/** The most that counts between two looks, which a process that runs takes about 100 ms apart. */
const COUNTED_MILLIS = 2 * Duration.toMillis(LOOK)

/** Ends when there was nothing to do for so many seconds; undefined: never. */
export const idleFor = (occupation: Ref.Ref<Occupation>, seconds: number | undefined): Effect.Effect<void> =>
  seconds === undefined
    ? Effect.never
    : Effect.gen(function* () {
        let { jobs } = yield* Ref.get(occupation)
        let looked = yield* Clock.currentTimeMillis
        let idle = 0
        while (idle <= 1000 * seconds) {
          yield* Effect.sleep(LOOK)
          const now = yield* Clock.currentTimeMillis
          const { busy, jobs: taken } = yield* Ref.get(occupation)
          idle = busy || taken !== jobs ? 0 : idle + Math.min(now - looked, COUNTED_MILLIS)
          jobs = taken
          looked = now
        }
      })
