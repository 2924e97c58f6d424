import { assert, describe, it } from "@effect/vitest"
import { CurriculumSpec } from "@gradus/domain/manifest/Curriculum"
import { PlanReport } from "@gradus/domain/PlanReport"
import type { RatedQuestion } from "@gradus/domain/Profile"
import * as Seed from "@gradus/domain/Seed"
import * as Schema from "effect/Schema"
import { totalVariation, wasserstein } from "../src/Distance.ts"
import { plan } from "../src/Plan.ts"
import { orderOf, summarise } from "../src/PlanCompare.ts"
import { planReport } from "../src/PlanReport.ts"
import { groupSilence } from "../src/Silence.ts"
import { poolOf, pools, seeds, sizes } from "./Pools.ts"

const decode = Schema.decodeSync(CurriculumSpec)
const reported = (pool: ReadonlyArray<RatedQuestion>, spec: typeof CurriculumSpec.Encoded, promptsPerStep = 20) =>
  planReport({ pool, spec: decode(spec), promptsPerStep, seed: Seed.root(1) })

describe("distances", () => {
  it("Wasserstein-1 is how far shares have to travel, total variation how many", () => {
    const at = (rate: number) => ({ rates: [0, 0.5, 1], shares: [0, 0.5, 1].map((each) => (each === rate ? 1 : 0)) })
    assert.strictEqual(wasserstein(at(1), at(0)), 1)
    assert.strictEqual(wasserstein(at(1), at(0.5)), 0.5)
    assert.strictEqual(totalVariation(at(1), at(0)), 1)
    assert.strictEqual(totalVariation(at(1), at(0.5)), 1)
    const mixed = { rates: [1, 0, 0], shares: [0.5, 0.25, 0.25] }
    assert.strictEqual(wasserstein(mixed, { rates: [0, 1], shares: [0.5, 0.5] }), 0)
    assert.strictEqual(wasserstein(mixed, at(1)), 0.5)
  })
})

describe("the report of a plan", () => {
  const pool = poolOf([30, 30, 30, 30, 30, 30], 8)

  it("is of the plan that is made without it, and its rows are of the schema", () => {
    const { batches, report } = reported(pool, { batcher: "gaussian" })
    const alone = plan({ pool, spec: decode({ batcher: "gaussian" }), promptsPerStep: 20, seed: Seed.root(1) })
    assert.deepStrictEqual(batches, alone.batches)
    assert.deepStrictEqual(Schema.decodeUnknownSync(PlanReport)(JSON.parse(JSON.stringify(report))), report)
    report.batches.forEach((row, t) => {
      assert.strictEqual(row.achieved_mean, batches[t]?.achievedMean)
      assert.strictEqual(row.fill_share, (batches[t]?.fill ?? NaN) / 20)
      assert.strictEqual(row.sigma, 0.12)
    })
  })

  it("measures distance by hand: one level aimed at, another drawn", () => {
    const { report } = reported(poolOf([20, 20], 1), { batcher: "gaussian", sigma: 0.001, start: 0, end: 0 })
    assert.deepStrictEqual(
      report.batches.map((row) => [row.distance, row.total_variation, row.fill]),
      [
        [0, 0, 0],
        [1, 1, 20]
      ]
    )
  })

  it("says when each pool runs dry", () => {
    const { report } = reported(pool, { batcher: "sorted" }, 45)
    assert.deepStrictEqual(
      report.pools.map((row) => [row.rate * 8, row.first_batch, row.dry_after]),
      [
        [0, 4, 4],
        [1, 3, 4],
        [2, 3, 3],
        [3, 2, 2],
        [4, 1, 2],
        [5, 1, 1]
      ]
    )
    assert.isTrue(report.batches.every((row) => row.distance === null && row.target_mean === null))
  })

  it("says in words from where most is fill, that a level dominates, and what is never drawn", () => {
    const skewed = poolOf([400, 20, 20, 20, 20, 20], 8)
    const { report } = reported(skewed, { batcher: "gaussian" })
    const [dominant, fill, off] = report.warnings
    assert.strictEqual(dominant, "80 % of the questions have the pass rate 0")
    assert.match(fill ?? "", /^from batch \d+ on, \d+ % is fill: the levels that the target asks for are used up$/u)
    assert.match(off ?? "", /off its target on average \(Wasserstein-1\)/u)
    const from = Number(/batch (\d+)/u.exec(fill ?? "")?.[1])
    report.batches.forEach((row) => assert.strictEqual(row.batch < from && row.fill_share >= 0.25, false))
    // the last batches ask for the hardest level, of which there is enough: fill lies before them
    const passing = reported(poolOf([432, 290, 236], 4), { batcher: "gaussian" }).report
    const [stretch = ""] = passing.warnings.filter((line) => line.includes("is fill"))
    const [, begin = NaN, end = NaN] = (/^in batches (\d+) to (\d+), \d+ % is fill/u.exec(stretch) ?? []).map(Number)
    assert.isBelow(begin, end)
    passing.batches.forEach(({ batch, fill_share }) => {
      if (batch >= begin && batch <= end) assert.isAtLeast(fill_share, 0.25)
      if (batch === end + 1) assert.isBelow(fill_share, 0.25)
    })
    const one = reported(poolOf([0, 50], 4), { batcher: "gaussian" }).report.warnings
    assert.deepStrictEqual(one, ["all questions have the pass rate 0.25: every order of them is the same curriculum"])
    const few = planReport({
      pool,
      spec: decode({ batcher: "sorted" }),
      promptsPerStep: 20,
      steps: 3,
      seed: Seed.root(1)
    }).report.warnings
    assert.deepStrictEqual(few, [
      "120 of 180 questions are not used in 3 steps",
      "120 questions are never drawn, at the pass rates 0, 0.125, 0.25, 0.375"
    ])
    assert.deepStrictEqual(reported(pool, { batcher: "sorted" }).report.warnings, [])
    assert.deepStrictEqual(reported([], { batcher: "gaussian" }).report.warnings, ["no question is left to plan with"])
  })

  it("keeps pools of domains apart", () => {
    const both = pool.map((question, i) => ({ ...question, domain: i % 2 === 0 ? "a" : "b" }))
    const { report } = reported(both, { batcher: "gaussian" })
    assert.strictEqual(report.pools.length, 12)
    assert.strictEqual(report.pools.filter((row) => row.domain === "a").length, 6)
    assert.strictEqual(reported(both, { batcher: "gaussian", domains: "ignore" }).report.pools.length, 6)
  })

  it.prop("adds up, on any pool", [pools, sizes, seeds], ([any, size, seed]) => {
    const spec = decode({ batcher: "gaussian", centre: "quantile" })
    const { report } = planReport({ pool: any, spec, promptsPerStep: size, seed: Seed.root(seed) })
    const drawn = report.draws.reduce((sum, row) => sum + row.drawn, 0)
    assert.strictEqual(drawn, any.length)
    assert.isTrue(report.pools.every((row) => row.left === 0 && row.dry_after !== null))
    for (const row of report.batches) {
      assert.isAtMost(row.distance ?? NaN, 1)
      assert.isAtMost(row.total_variation ?? NaN, 1 + 1e-9)
      assert.isAtLeast((row.total_variation ?? NaN) + 1e-9, row.distance ?? NaN)
    }
  })
})

describe("comparing curricula", () => {
  it("orders them: sorted falls throughout, reversed rises, uniform does neither", () => {
    const pool = poolOf([100, 100, 100, 100], 8)
    const order = (spec: typeof CurriculumSpec.Encoded) => summarise(reported(pool, spec).report, 16)
    assert.isBelow(order({ batcher: "sorted" }).order ?? NaN, -0.9)
    assert.isAbove(order({ batcher: "reversed" }).order ?? NaN, 0.9)
    assert.isBelow(Math.abs(order({ batcher: "uniform" }).order ?? NaN), 0.6)
    const gaussian = order({ batcher: "gaussian" })
    assert.deepInclude(gaussian, { batches: 20, questions: 400, mostly_fill_from: 20 })
    const silent = [0, 1 / 8, 2 / 8, 3 / 8].reduce((sum, rate) => sum + groupSilence(rate, 16), 0) / 4
    assert.closeTo(gaussian.silent_share ?? NaN, silent, 1e-12)
  })

  it("correlates ranks, ties too", () => {
    assert.strictEqual(orderOf([3, 2, 1]), -1)
    assert.strictEqual(orderOf([5, 5, 5]), null)
    assert.closeTo(orderOf([1, 1, 2]) ?? NaN, Math.sqrt(3) / 2, 1e-12)
  })

  it("counts silent groups as the paper's formula does", () => {
    assert.closeTo(groupSilence(0.05, 16), 0.44, 0.002)
    assert.closeTo(groupSilence(0.125, 16), 0.118, 0.001)
  })
})
