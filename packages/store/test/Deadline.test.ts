import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { within } from "../src/Deadline.ts"

const timed = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const start = yield* Clock.currentTimeMillis
    const result = yield* Effect.result(effect)
    return { result, millis: (yield* Clock.currentTimeMillis) - start }
  })
const late = () => Effect.fail("late")

describe("a deadline", () => {
  it.live("does not hold up an answer where nothing can be interrupted", () =>
    Effect.gen(function* () {
      const call = within(Effect.as(Effect.sleep("5 millis"), "answer"), Duration.seconds(20), late)
      const { millis, result } = yield* timed(Effect.uninterruptible(call))
      assert.deepInclude(result, { _tag: "Success", success: "answer" })
      assert.isBelow(millis, 2000)
    })
  )

  it.live("ends a call that never answers, also where nothing can be interrupted", () =>
    Effect.gen(function* () {
      const { millis, result } = yield* timed(Effect.uninterruptible(within(Effect.never, Duration.seconds(2), late)))
      assert.deepInclude(result, { _tag: "Failure", failure: "late" })
      assert.isAtMost(millis, 2200)
      const call = within(Effect.uninterruptible(Effect.sleep("20 seconds")), Duration.seconds(2), late)
      assert.isAtMost((yield* timed(call)).millis, 2200)
    })
  )

  it.live("lets the failure of a call through as it is", () =>
    Effect.gen(function* () {
      const { result } = yield* timed(within(Effect.fail("no"), Duration.seconds(20), late))
      assert.deepInclude(result, { _tag: "Failure", failure: "no" })
    })
  )
})
