import { assert, describe, it } from "@effect/vitest"
import { gaussianShares } from "../src/Allocation.ts"
import { potentials } from "../src/Balance.ts"
import { quantileCentre } from "../src/Schedule.ts"

/** What a pass asks of each level, as a share of all. */
const asked = (
  rates: ReadonlyArray<number>,
  counts: ReadonlyArray<number>,
  span: number,
  sigma: number,
  balanced: boolean
) => {
  const blur = (step: number) => ({ centre: quantileCentre(rates, counts, step, span), sigma })
  const c = balanced ? potentials(rates, counts, span, blur) : undefined
  const sums = rates.map(() => 0)
  for (let t = 0; t < span; t++) {
    gaussianShares(rates, blur(t).centre, sigma, c).forEach((share, j) => (sums[j]! += share / span))
  }
  return sums
}

describe("balancing a target with its pool", () => {
  const rates = [0, 0.125, 0.25, 0.375, 0.5, 0.625]
  const counts = [700, 469, 428, 300, 270, 120]
  const shares = counts.map((count) => count / 2287)

  it("makes a pass ask of each level what it holds, which the blur alone does not", () => {
    for (const sigma of [0.04, 0.08, 0.2, 1]) {
      asked(rates, counts, 72, sigma, true).forEach((share, j) => assert.closeTo(share, shares[j] ?? NaN, 1e-3))
    }
    const blurred = asked(rates, counts, 72, 0.12, false)
    assert.isAbove(Math.abs((blurred[5] ?? NaN) - (shares[5] ?? NaN)), 0.005)
  })

  it("looks at long passes in points, and is as good there", () => {
    asked(rates, counts, 5000, 0.1, true).forEach((share, j) => assert.closeTo(share, shares[j] ?? NaN, 1e-3))
  })

  it("has nothing to do for one level or no batch", () => {
    assert.deepStrictEqual([...potentials([0.5], [9], 3, () => ({ centre: 0.5, sigma: 0.1 }))], [0])
    assert.deepStrictEqual([...potentials([0, 1], [9, 9], 0, () => ({ centre: 0.5, sigma: 0.1 }))], [0, 0])
  })
})
