import { assert, describe, it } from "@effect/vitest"
import { filter } from "../src/Filter.ts"
import { poolOf } from "./Pools.ts"

describe("filter", () => {
  it("drops 6, 7 and 8 of 8 at .75 and keeps what is never answered", () => {
    const { byLevel, kept, rows } = filter(poolOf([1, 1, 1, 1, 1, 1, 1, 1, 1], 8), { drop_at: 0.75 })
    assert.deepStrictEqual(
      kept.map((question) => question.passed),
      [0, 1, 2, 3, 4, 5]
    )
    assert.deepStrictEqual(byLevel, { 0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1 })
    assert.deepInclude(rows[6], { question_id: "6/0", rate: 0.75, kept: false, reason: "too_easy" })
    assert.deepInclude(rows[5], { rate: 0.625, kept: true, reason: null })
  })

  it("drops what is below a floor, and keeps what is at it", () => {
    const { rows } = filter(poolOf([1, 1, 1], 8), { drop_at: 0.75, floor: 0.125 })
    assert.deepStrictEqual(
      rows.map((row) => row.reason),
      ["below_floor", null, null]
    )
  })

  it("a question without a score is neither easy nor hard, and is in no level", () => {
    const { byLevel, kept, rows } = filter([{ question_id: "q", passed: 0, scored: 0 }], { drop_at: 0.75 }, 2)
    assert.deepStrictEqual(kept, [])
    assert.deepInclude(rows[0], { rate: null, kept: false, reason: "unscored" })
    assert.deepStrictEqual(byLevel, { 0: 0, 1: 0, 2: 0 })
  })

  it("levels have a key for every number of passes, also where nobody is", () => {
    const rows = [{ question_id: "q", passed: 2, scored: 3 }]
    assert.deepStrictEqual(filter(rows, { drop_at: 0.75 }, 4).byLevel, { 0: 0, 1: 0, 2: 1, 3: 0, 4: 0 })
  })

  it("keeps the domain", () => {
    const rows = [{ question_id: "q", passed: 0, scored: 3, domain: "algebra" }]
    assert.deepStrictEqual(filter(rows, { drop_at: 0.75 }).kept, rows)
    assert.deepStrictEqual(filter([{ ...rows[0]!, domain: null }], { drop_at: 0.75 }).kept, [
      { question_id: "q", passed: 0, scored: 3 }
    ])
  })
})
