import { assert, it } from "@effect/vitest"
import * as Seed from "@gradus/domain/Seed"
import { uniform } from "../src/batchers/Uniform.ts"
import { batcherLaws } from "./BatcherLaws.ts"
import { poolOf } from "./Pools.ts"

batcherLaws("uniform", uniform, {})

it("a uniform batch has no target, and its composition is that of the pool on average", () => {
  const pool = poolOf([600, 400], 1)
  const first = uniform.draw(uniform.init(pool, { promptsPerStep: 500, lastBatch: "partial", seed: Seed.root(3) }))
  assert.strictEqual(first?.[0].targetMean, null)
  assert.strictEqual(first?.[0].fill, 0)
  // Hypergeometric: the mean is .4, the standard deviation .0155.
  assert.closeTo(first?.[0].achievedMean ?? NaN, 0.4, 0.0155 * 4)
})
