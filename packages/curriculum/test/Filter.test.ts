import { assert, describe, it } from "@effect/vitest"
import * as Seed from "@gradus/domain/Seed"
import { unfilteredControl } from "../src/Control.ts"
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

  it("counts every reason, and every dropped question has one", () => {
    const input = [...poolOf([2, 0, 3, 0, 1], 4), { question_id: "u", passed: 0, scored: 0 }]
    const { byReason, rows } = filter(input, { drop_at: 0.75, floor: 0.1 })
    assert.deepStrictEqual(byReason, { kept: 3, too_easy: 1, below_floor: 2, unscored: 1 })
    assert.isTrue(rows.every((row) => row.kept === (row.reason === null)))
  })

  it("with the interval rule drops only what the posterior shows", () => {
    const rows = (credible_level: number) =>
      filter(poolOf([1, 1, 1, 1, 1, 1, 1, 1, 1], 8), { drop_at: 0.75, floor: 0.2, credible_level }).rows.map(
        (row) => row.reason
      )
    const no = null
    // Lower bounds at .90: 8 of 8 .774; upper bounds: 0 of 8 .226, at .80 .164.
    assert.deepStrictEqual(rows(0.9), [no, no, no, no, no, no, no, no, "too_easy"])
    assert.deepStrictEqual(rows(0.8), ["below_floor", no, no, no, no, no, no, no, "too_easy"])
  })

  it("says when a rule cannot fire at this number of samples", () => {
    const rule = { drop_at: 0.75, credible_level: 0.95 }
    assert.deepStrictEqual(filter(poolOf([1, 1], 8), rule).notes, [
      "with 8 samples the cut at 0.75 at credible level 0.95 can never drop a question: more samples are needed"
    ])
    assert.deepStrictEqual(filter(poolOf([1, 1], 10), rule).notes, [])
    assert.deepStrictEqual(filter(poolOf([1, 1], 8), { drop_at: 0.75, floor: 0.1, credible_level: 0.9 }).notes, [
      "with 8 samples the floor at 0.1 at credible level 0.9 can never drop a question: more samples are needed"
    ])
    assert.deepStrictEqual(filter(poolOf([1, 1], 8), { drop_at: 2 }).notes, [])
  })

  it("refuses counts that are none and ids that occur twice, by row", () => {
    assert.throws(() => filter([...poolOf([1], 4), ...poolOf([1], 4)], { drop_at: 0.75 }), "question 0/0 (row 2 of")
    assert.throws(() => filter([{ question_id: "x", passed: NaN, scored: 2 }], { drop_at: 0.75 }), "NaN of 2")
    assert.throws(() => filter([{ question_id: "x", passed: 3, scored: 2 }], { drop_at: 0.75 }), "3 of 2")
  })
})

describe("the unfiltered control", () => {
  const all = poolOf([100, 100, 100, 100, 100, 100, 100, 100, 100], 8)
  it("has as many questions as the filter kept, from all levels, and is the same for the same seed in any order of rows", () => {
    const control = unfilteredControl(all, 600, Seed.root(1))
    assert.strictEqual(new Set(control.map(({ question_id }) => question_id)).size, 600)
    // Hypergeometric: 66.7 of each level expected, standard deviation 4.5.
    for (const count of Map.groupBy(control, ({ passed }) => passed).values()) {
      assert.closeTo(count.length, 66.7, 4 * 4.5)
    }
    const ids = (rows: ReadonlyArray<{ question_id: string }>) => rows.map(({ question_id }) => question_id)
    assert.deepStrictEqual(ids(unfilteredControl(all.toReversed(), 600, Seed.root(1))), ids(control))
    assert.notDeepEqual(ids(unfilteredControl(all, 600, Seed.root(2))), ids(control))
  })

  it("leaves out what has no score, gives all where there are fewer, and can keep the domains' proportions", () => {
    assert.lengthOf(unfilteredControl([{ question_id: "u", passed: 0, scored: 0 }], 3, Seed.root(1)), 0)
    assert.lengthOf(unfilteredControl(poolOf([2], 4), 3, Seed.root(1)), 2)
    const domains = all.map((question, i) => ({ ...question, domain: i % 2 === 0 ? "a" : "b" }))
    const like = [
      ...domains.filter(({ domain }) => domain === "a").slice(0, 30),
      ...domains.filter(({ domain }) => domain === "b").slice(0, 10)
    ]
    const control = unfilteredControl(domains, 40, Seed.root(1), like)
    assert.deepStrictEqual([control.filter(({ domain }) => domain === "a").length, control.length], [30, 40])
  })
})
