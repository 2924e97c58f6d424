import { assert, describe, it } from "@effect/vitest"
import { cumulative, quantile } from "../src/Beta.ts"

/** I_x(a, b) for whole a, b as a binomial tail: an independent formula. */
const binomialTail = (a: number, b: number, x: number): number => {
  const n = a + b - 1
  let sum = 0
  let term = (1 - x) ** n
  for (let k = 0; k <= n; k++) {
    if (k >= a) sum += term
    term *= ((n - k) / (k + 1)) * (x / (1 - x))
  }
  return sum
}

describe("the Beta distribution function", () => {
  it("equals closed forms", () => {
    assert.closeTo(cumulative(1, 1, 0.3), 0.3, 1e-14)
    assert.closeTo(cumulative(9, 1, 0.75), 0.75 ** 9, 1e-14)
    assert.closeTo(cumulative(1, 9, 0.25), 1 - 0.75 ** 9, 1e-14)
    // The arcsine distribution: Beta(1/2, 1/2).
    assert.closeTo(cumulative(0.5, 0.5, 0.25), 1 / 3, 1e-13)
  })

  it("equals binomial tails at whole parameters up to 40", () => {
    for (const a of [1, 2, 5, 17, 40]) {
      for (const b of [1, 3, 8, 40]) {
        for (const x of [0.05, 0.3, 0.5, 0.75, 0.95]) {
          assert.closeTo(cumulative(a, b, x), binomialTail(a, b, x), 1e-12)
        }
      }
    }
  })
})

describe("the Beta quantile", () => {
  it("equals published percentage points of F through Beta", () => {
    // F(.95; 2, 10) = 4.10282 and F(.95; 10, 10) = 2.97824 in any F table; x = d1 F / (d1 F + d2) ~ Beta(d1/2, d2/2).
    assert.closeTo(quantile(1, 5, 0.95), (2 * 4.10282) / (2 * 4.10282 + 10), 1e-6)
    assert.closeTo(quantile(5, 5, 0.95), (10 * 2.97824) / (10 * 2.97824 + 10), 1e-6)
  })

  it("inverts the distribution function", () => {
    for (const [a, b] of [
      [0.5, 8.5],
      [1, 9],
      [7, 3],
      [300, 20]
    ] as const) {
      for (const p of [0.01, 0.1, 0.5, 0.9, 0.99]) assert.closeTo(cumulative(a, b, quantile(a, b, p)), p, 1e-11)
    }
  })
})
