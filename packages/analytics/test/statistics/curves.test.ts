/** Numbers of learning curves, of samples and of clusters, by hand. */
import { assert, describe, it } from "@effect/vitest"
import { clusteredError } from "../../src/statistics/clusteredError.ts"
import { areaUnderCurve, maximumDrawdown, spentToTarget, valueAt } from "../../src/statistics/learningCurve.ts"
import { pairedDifference } from "../../src/statistics/pairedDifference.ts"
import { passAtK } from "../../src/statistics/passAtK.ts"
import * as Seed from "@gradus/domain/Seed"

const curve = [
  { spent: 0, value: 0.2 },
  { spent: 100, value: 0.6 },
  { spent: 300, value: 0.4 },
  { spent: 400, value: 0.8 }
]

describe("a learning curve", () => {
  it("reaches a target between two readings, at its first reading, or never", () => {
    assert.closeTo(spentToTarget(curve, 0.5) ?? Number.NaN, 75, 1e-9)
    assert.strictEqual(spentToTarget(curve, 0.1), 0)
    assert.strictEqual(spentToTarget(curve, 0.9), null)
  })
  it("is read between its readings and not beyond them", () => {
    assert.closeTo(valueAt(curve, 200) ?? Number.NaN, 0.5, 1e-12)
    assert.strictEqual(valueAt(curve, 300), 0.4)
    assert.strictEqual(valueAt(curve, 401), null)
    assert.strictEqual(valueAt(curve.slice(1), 50), null)
  })
  it("has a mean height: trapezoids over what was spent", () => {
    assert.closeTo(areaUnderCurve(curve) ?? Number.NaN, (40 + 100 + 60) / 400, 1e-12)
    assert.closeTo(areaUnderCurve(curve, 100) ?? Number.NaN, 0.4, 1e-12)
    assert.closeTo(areaUnderCurve(curve, 200) ?? Number.NaN, (40 + 55) / 200, 1e-12)
    assert.isNull(areaUnderCurve(curve, 500))
    assert.isNull(areaUnderCurve(curve.slice(0, 1)))
  })
  it("falls back at most from its highest value to the lowest one after it", () => {
    assert.closeTo(maximumDrawdown([0.2, 0.6, 0.4, 0.8, 0.5]) ?? Number.NaN, 0.3, 1e-12)
    assert.strictEqual(maximumDrawdown([0.1, 0.2]), 0)
    assert.isNull(maximumDrawdown([]))
  })
})

describe("pass@k", () => {
  it("is one less the share of draws without a right sample, by counting combinations", () => {
    const expected: ReadonlyArray<readonly [number, number, number, number | null]> = [
      [8, 1, 1, 0.125],
      [8, 3, 2, 0.6428571428571428],
      [8, 3, 5, 0.9821428571428571],
      [8, 3, 8, 1],
      [10, 0, 5, 0],
      [20, 7, 8, 0.9897832817337461],
      [4, 1, 5, null]
    ]
    for (const [n, c, k, value] of expected)
      if (value === null) assert.isNull(passAtK(n, c, k))
      else assert.closeTo(passAtK(n, c, k) ?? Number.NaN, value, 1e-12)
  })
})

describe("clustered errors", () => {
  it("are the usual ones where every cluster has one sample, and larger where samples of a cluster agree", () => {
    assert.deepStrictEqual(clusteredError([[1], [0], [1], [0]]), {
      mean: 0.5,
      standardError: Math.sqrt(0.25 / 4),
      samples: 4,
      clusters: 4
    })
    // two questions, each twice: the sums of residuals are 1 and -1
    assert.closeTo(
      clusteredError([
        [1, 1],
        [0, 0]
      ])?.standardError ?? Number.NaN,
      Math.sqrt(2) / 4,
      1e-12
    )
    assert.strictEqual(
      clusteredError([
        [1, 0],
        [0, 1]
      ])?.standardError,
      0
    )
    assert.isNull(clusteredError([]))
  })
})

describe("a paired difference", () => {
  it("is taken pair by pair: what seeds share cancels", () => {
    const pairs = [
      { arm: 0.5, baseline: 0.4 },
      { arm: 0.9, baseline: 0.8 },
      { arm: 0.2, baseline: 0.1 }
    ]
    const { interval, losses, mean, wins } = pairedDifference(pairs, { seed: Seed.root(1), resamples: 500 })
    assert.closeTo(mean ?? Number.NaN, 0.1, 1e-12)
    assert.closeTo(interval?.low ?? Number.NaN, 0.1, 1e-12)
    assert.closeTo(interval?.high ?? Number.NaN, 0.1, 1e-12)
    assert.deepStrictEqual([wins, losses], [3, 0])
    assert.isNull(pairedDifference(pairs.slice(0, 2), { seed: Seed.root(1), resamples: 500 }).interval)
  })
})
