import { assert, describe, it } from "@effect/vitest"
import { bounds, canShow, estimate } from "../src/Estimate.ts"

const base = { question_id: "q", n: 8, truncated: 1, mean_tokens: 12.5, passMark: 1 }

describe("estimate", () => {
  it("counts passes among scored samples only", () => {
    const row = estimate({ ...base, domain: "algebra", scores: [1, 0, null, 0.5, 1, null, 1, 0] })
    assert.deepInclude(row, {
      n: 8,
      scored: 6,
      passed: 3,
      rate: 0.5,
      domain: "algebra",
      truncated: 1,
      mean_tokens: 12.5
    })
    assert.isBelow(row.low ?? NaN, 0.5)
    assert.isAbove(row.high ?? NaN, 0.5)
  })

  it("says nothing of a question without a score", () => {
    const row = estimate({ ...base, scores: [null, null] })
    assert.deepInclude(row, { scored: 0, passed: 0, rate: null, low: null, high: null, domain: null })
  })

  it("a score at the pass mark passes", () => {
    assert.strictEqual(estimate({ ...base, passMark: 0.5, scores: [0.5, 0.49] }).passed, 1)
  })

  it("bounds are quantiles of the uniform prior's posterior", () => {
    // 8 of 8: Beta(9, 1), whose quantiles are p^(1/9). 0 of 8: mirrored.
    assert.closeTo(bounds(8, 8, 0.9).low, 0.1 ** (1 / 9), 1e-12)
    assert.closeTo(bounds(8, 8, 0.9).high, 0.9 ** (1 / 9), 1e-12)
    assert.closeTo(bounds(0, 8, 0.9).high, 1 - 0.1 ** (1 / 9), 1e-12)
  })

  it("8 samples can show at .90 that a question is easy, and cannot at .95", () => {
    assert.isTrue(canShow(8, 0.75, 0.9))
    assert.isFalse(canShow(8, 0.75, 0.95))
    assert.isTrue(canShow(10, 0.75, 0.95))
  })
})
