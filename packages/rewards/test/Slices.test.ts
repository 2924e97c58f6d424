import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mapInSlices } from "../src/service/Slices.ts"

describe("mapInSlices", () => {
  it.effect("maps in order, whatever the length", () =>
    Effect.gen(function* () {
      for (const length of [0, 1, 31, 32, 33, 1000]) {
        const items = Array.from({ length }, (_, i) => i)
        assert.deepStrictEqual(
          yield* mapInSlices(items, (item, index) => [item, index]),
          items.map((i) => [i, i])
        )
      }
    })
  )

  it.live("lets others have a turn: one item is done before a thousand that began earlier", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const note = (name: string, length: number) =>
        Effect.tap(
          mapInSlices(Array.from({ length }), () => 0),
          () => Effect.sync(() => order.push(name))
        )
      yield* Effect.all([note("large", 1000), note("small", 1)], { concurrency: "unbounded" })
      assert.deepStrictEqual(order, ["small", "large"])
    })
  )
})
