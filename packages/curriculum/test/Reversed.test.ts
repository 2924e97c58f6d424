import { assert, it } from "@effect/vitest"
import * as Seed from "@gradus/domain/Seed"
import { reversed } from "../src/batchers/Reversed.ts"
import { batcherLaws } from "./BatcherLaws.ts"
import { poolOf } from "./Pools.ts"

batcherLaws("reversed", reversed, {})

it("the levels are served one after the other", () => {
  const pool = poolOf([5, 3, 4], 2)
  const means: Array<number> = []
  let next = reversed.draw(reversed.init(pool, { promptsPerStep: 4, lastBatch: "partial", seed: Seed.root(1) }))
  while (next !== undefined) {
    means.push(next[0].achievedMean)
    next = reversed.draw(next[1])
  }
  assert.deepStrictEqual(means, [0, 0.375, 1])
})
