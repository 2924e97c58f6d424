import { assert, describe, it } from "@effect/vitest"
import * as Seed from "@gradus/domain/Seed"
import { agreement } from "../src/Agreement.ts"

const sampled = (n: number, seed: number, chance: (p: number) => number) => {
  const truth = Seed.stream(Seed.root(1))
  const stream = Seed.stream(Seed.root(seed))
  return Array.from({ length: 300 }, (_, i) => {
    const p = chance(truth.next())
    const passed = Array.from({ length: n }, () => (stream.next() < p ? 1 : 0) as number).reduce((a, b) => a + b, 0)
    return { question_id: `q${i}`, passed, scored: n }
  })
}

describe("agreement of a column with our own profile", () => {
  it("is found where both measure the same policy", () => {
    const found = agreement(
      sampled(64, 2, (p) => p),
      sampled(8, 3, (p) => p)
    )
    assert.strictEqual(found.compared, 300)
    assert.isAbove(found.correlation ?? NaN, 0.85)
    assert.isBelow(found.beyond_noise ?? NaN, 0.03)
    assert.match(found.verdict, /agree within sampling noise$/u)
  })

  it("is denied where another policy was measured", () => {
    const found = agreement(
      sampled(64, 2, (p) => p * p),
      sampled(8, 3, (p) => p)
    )
    assert.closeTo(found.difference ?? NaN, 1 / 3 - 1 / 2, 0.04)
    assert.match(found.verdict, /^the column's mean is 0\.3\d, this model's 0\.\d\d on 300 questions; \d+ % differ/u)
    assert.isAbove(found.decided_otherwise ?? NaN, 0.05)
  })

  it("asks whether the kind is right where the two run against each other", () => {
    const found = agreement(
      sampled(8, 2, (p) => 1 - p),
      sampled(8, 3, (p) => p)
    )
    assert.match(found.verdict, /run against each other \(correlation -0\.\d\d\): is the kind of the column right\?$/u)
  })

  it("compares only what both have with a score, and says when that is nothing", () => {
    const own = [
      { question_id: "a", passed: 4, scored: 8 },
      { question_id: "b", passed: 1, scored: 8 },
      { question_id: "c", passed: 0, scored: 0 }
    ]
    const column = [
      { question_id: "c", passed: 1, scored: 4 },
      { question_id: "a", passed: 2, scored: 4 },
      { question_id: "z", passed: 2, scored: 4 }
    ]
    assert.deepInclude(agreement(column, own), { compared: 1, difference: 0, standard_error: null, correlation: null })
    assert.include(agreement(column.slice(2), own).verdict, "check the ids")
  })
})
