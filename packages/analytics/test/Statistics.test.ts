/** Statistics against values computed by hand and against published ones. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { binomialStandardError, differenceStandardError, wilsonInterval } from "../src/Statistics.ts"

const share = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0), Schema.isLessThanOrEqualTo(1))
const samples = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1), Schema.isLessThanOrEqualTo(1_000_000))

describe("binomialStandardError", () => {
  it("is sqrt(p (1 - p) / n)", () => {
    assert.strictEqual(binomialStandardError(0.5, 100), 0.05)
    assert.strictEqual(binomialStandardError(1, 10), 0)
  })
  it("is unknown without samples", () => {
    assert.isNull(binomialStandardError(0, 0))
    assert.isNull(differenceStandardError({ share: 0.5, samples: 0 }, { share: 0.5, samples: 4 }))
  })
  it("adds in squares for a difference", () => {
    const error = differenceStandardError({ share: 0.5, samples: 100 }, { share: 0.2, samples: 1600 / 9 })
    assert.approximately(error ?? 0, Math.sqrt(0.05 ** 2 + 0.03 ** 2), 1e-12)
  })
})

describe("wilsonInterval", () => {
  it("gives the known interval of 81 in 263 (Newcombe 1998, table I: .2553 to .3662)", () => {
    const interval = wilsonInterval(81 / 263, 263)
    assert.approximately(interval?.low ?? 0, 0.2553, 5e-5)
    assert.approximately(interval?.high ?? 0, 0.3662, 5e-5)
  })
  it("has a width where nothing was right (Newcombe 1998, table I: 0 of 20 gives 0 to .1611)", () => {
    const interval = wilsonInterval(0, 20)
    assert.strictEqual(interval?.low, 0)
    assert.approximately(interval?.high ?? 0, 0.1611, 5e-5)
  })
  it("is unknown without samples", () => assert.isNull(wilsonInterval(0.5, 0)))
  it.prop("stays in [0, 1], holds the share, and is mirrored when right and wrong swap", { share, samples }, (law) => {
    const interval = wilsonInterval(law.share, law.samples)
    const mirrored = wilsonInterval(1 - law.share, law.samples)
    if (interval === null || mirrored === null) return false
    return (
      interval.low >= 0 &&
      interval.low <= law.share &&
      law.share <= interval.high &&
      interval.high <= 1 &&
      Math.abs(interval.low - (1 - mirrored.high)) < 1e-9
    )
  })
})
