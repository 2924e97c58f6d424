import { assert, describe, it } from "@effect/vitest"
import type { LearningRateSpec } from "@gradus/domain/manifest/Policy"
import * as Schema from "effect/Schema"
import { learningRate } from "../src/LearningRate.ts"

const rates = (spec: Partial<LearningRateSpec>, updates: number): ReadonlyArray<number> => {
  const whole = { peak: 1, warmup_updates: 0, shape: "constant", final_share: 0.1, ...spec } as const
  return Array.from({ length: updates }, (_, i) => learningRate(whole, i + 1, updates))
}

const assertClose = (found: ReadonlyArray<number>, expected: ReadonlyArray<number>): void => {
  assert.strictEqual(found.length, expected.length)
  found.forEach((rate, i) => assert.closeTo(rate, expected[i] ?? NaN, 1e-12))
}

const shapes = Schema.Literals(["constant", "linear", "cosine"])
const counts = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 60 }))

describe("the learning rate", () => {
  it("rises linearly to its peak, which the last update of the rise has", () => {
    assertClose(rates({ peak: 0.5, warmup_updates: 5 }, 7), [0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5])
  })

  it("stays, falls by equal parts, or falls by half a cosine, to its final share", () => {
    assertClose(rates({ shape: "constant" }, 4), [1, 1, 1, 1])
    assertClose(rates({ shape: "linear", final_share: 0.2 }, 4), [0.8, 0.6, 0.4, 0.2])
    const half = Math.SQRT1_2
    assertClose(rates({ shape: "cosine", final_share: 0 }, 4), [(1 + half) / 2, 0.5, (1 - half) / 2, 0])
    assertClose(rates({ shape: "cosine", final_share: 0.5, warmup_updates: 2 }, 4), [0.5, 1, 0.75, 0.5])
  })

  it("stays at its end after the last update, and on its rise where that is never finished", () => {
    const spec = { peak: 1, warmup_updates: 0, shape: "linear", final_share: 0.1 } as const
    assert.closeTo(learningRate(spec, 9, 4), 0.1, 1e-12)
    assertClose(rates({ warmup_updates: 10, shape: "cosine" }, 2), [0.1, 0.2])
  })

  it.prop("never passes its peak and never rises after it", [shapes, counts, counts], ([shape, updates, warmup]) => {
    const found = rates({ shape, warmup_updates: warmup }, updates)
    assert.isTrue(found.every((rate) => rate > 0 && rate <= 1))
    found.slice(warmup).forEach((rate, i, fall) => assert.isTrue(i === 0 || rate <= (fall[i - 1] ?? 0)))
  })
})
