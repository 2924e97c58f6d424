import { assert, describe, it } from "@effect/vitest"
import { RefreshSpec } from "@gradus/domain/manifest/Curriculum"
import * as Seed from "@gradus/domain/Seed"
import * as Schema from "effect/Schema"
import { changeBetween, decideRefresh, poolPrior } from "../src/Refresh.ts"
import { poolOf } from "./Pools.ts"

const spec = Schema.decodeSync(RefreshSpec)
const readings = (values: ReadonlyArray<number | null>) => values.map((value, i) => ({ step: (i + 1) * 5, value }))

describe("when to refresh", () => {
  it("every k steps means at its multiples, once", () => {
    const every = spec({ rule: "every", steps: 10 })
    assert.deepStrictEqual(
      [9, 10, 15, 20].map((step) => decideRefresh(every, step, []).refresh),
      [false, true, false, true]
    )
    assert.isFalse(decideRefresh(every, 20, [], 20).refresh)
  })

  const plateau = spec({ rule: "plateau", window: 3, min_gain: 0.02, cooldown: 10 })
  it("at a plateau: the mean of the last window is not above the one before by the least gain", () => {
    const rising = readings([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert.isFalse(decideRefresh(plateau, 30, rising).refresh)
    const flat = readings([0.5, 0.52, 0.5, 0.51, 0.52, 0.5])
    const decision = decideRefresh(plateau, 30, flat)
    assert.isTrue(decision.refresh)
    assert.strictEqual(
      decision.reason,
      "a plateau: the last 3 readings are 0.510, those before 0.507, a gain of 0.003 below 0.02"
    )
  })

  it("not before there are enough readings, nor soon after another refresh, and null readings do not count", () => {
    const flat = readings([0.5, 0.5, null, 0.5, 0.5, 0.5])
    assert.include(decideRefresh(plateau, 30, flat).reason, "5 of the 6 readings")
    assert.include(decideRefresh(plateau, 30, readings([1, 1, 1, 1, 1, 1]), 25).reason, "5 of 10 steps")
    assert.include(decideRefresh(plateau, 60, readings([1, 1, 1, 1, 1, 1, 1, 1]), 30).reason, "2 of the 6 readings")
    assert.isTrue(
      decideRefresh(plateau, 45, readings([...Array.from({ length: 3 }, () => null), 1, 1, 1, 1, 1, 1])).refresh
    )
  })
})

const sampled = (n: number, name: string, chance: (p: number) => number) => {
  const truth = Seed.stream(Seed.root(1))
  const stream = Seed.stream(Seed.child(Seed.root(2), name))
  return Array.from({ length: 4000 }, (_, i) => {
    const p = chance(truth.next())
    const passed = Array.from({ length: n }, () => (stream.next() < p ? 1 : 0) as number).reduce((a, b) => a + b, 0)
    return { question_id: `q${i}`, passed, scored: n }
  })
}

describe("regression to the mean", () => {
  it("explains all of the rise of hard questions when the policy is the same", () => {
    const change = changeBetween(
      sampled(8, "a", (p) => p),
      sampled(8, "b", (p) => p)
    )
    assert.closeTo(change.change ?? NaN, 0, 0.01)
    assert.isAbove(change.measured_low ?? NaN, 0.02)
    assert.closeTo(change.beyond_regression ?? NaN, 0, 0.01)
  })

  it("leaves what was learnt when the policy is better", () => {
    const better = (p: number) => p + 0.3 * (1 - p)
    const change = changeBetween(
      sampled(8, "a", (p) => p),
      sampled(8, "b", better)
    )
    // Hard questions have true rates of about .25 on average: .3 of the missing .75.
    assert.closeTo(change.beyond_regression ?? NaN, 0.22, 0.03)
    assert.isAbove(change.measured_low ?? NaN, change.beyond_regression ?? NaN)
  })

  it("fits the pool's prior by moments: uniform rates give Beta(1, 1), equal rates a narrow one", () => {
    const [a, b] = poolPrior(sampled(8, "a", (p) => p))
    assert.closeTo(a, 1, 0.15)
    assert.closeTo(b, 1, 0.15)
    const [c, d] = poolPrior(sampled(8, "a", () => 0.3))
    assert.closeTo(c / (c + d), 0.3, 0.01)
    assert.isAbove(c + d, 50)
    assert.deepStrictEqual(poolPrior([]), [1, 1])
    assert.deepStrictEqual(poolPrior(poolOf([9], 4)), [1, 1])
  })

  it("says nothing where nothing can be compared", () => {
    assert.deepInclude(changeBetween([], []), { compared: 0, change: null, beyond_regression: null })
  })
})
