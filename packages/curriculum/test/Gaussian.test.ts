import { assert, describe, it } from "@effect/vitest"
import type { PlannedBatch } from "@gradus/domain/Plan"
import type { RatedQuestion } from "@gradus/domain/Profile"
import * as Seed from "@gradus/domain/Seed"
import { gaussian, type GaussianOptions } from "../src/batchers/Gaussian.ts"
import { batcherLaws } from "./BatcherLaws.ts"
import { naiveGaussian } from "./NaiveGaussian.ts"
import { poolOf, pools, seeds, sigmas, sizes } from "./Pools.ts"

/** Ratios of those domains that a pool has: others are refused. */
const ratiosAmong = (domains: ReadonlySet<string | undefined>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries({ x: 1, y: 3, z: 0.1 }).filter(([name]) => domains.has(name)))

batcherLaws("gaussian", gaussian, { sigma: 0.12 })
batcherLaws("gaussian (quantile centre, narrowing)", gaussian, { sigma: 0.2, sigmaEnd: 0.02, centre: "quantile" })
batcherLaws("gaussian (3 epochs that share the pool)", gaussian, { sigma: 0.12, epochs: 3, centre: "cosine" })
batcherLaws(
  "gaussian (3 epochs that each serve it whole)",
  gaussian,
  { sigma: 0.12, epochs: 3, reuse: true, centre: "root" },
  { replacement: "once", passes: 3 }
)

batcherLaws("gaussian (the pool's domain ratios)", gaussian, { sigma: 0.12 }, { replacement: "once", domains: true })
batcherLaws(
  "gaussian (stated domain ratios, quantile centre)",
  gaussian,
  (domains) => ({ sigma: 0.2, centre: "quantile" as const, domains: ratiosAmong(domains) }),
  { replacement: "once", domains: true }
)
batcherLaws(
  "gaussian (stated domain ratios, 3 epochs that each serve the pool whole)",
  gaussian,
  (domains) => ({ sigma: 0.12, epochs: 3, reuse: true, domains: ratiosAmong(domains) }),
  { replacement: "once", passes: 3, domains: true }
)

const drawn = (pool: ReadonlyArray<RatedQuestion>, options: Partial<GaussianOptions>): Array<PlannedBatch> => {
  const full = { promptsPerStep: 4, lastBatch: "partial", sigma: 0.12, seed: Seed.root(0), ...options } as const
  const batches: Array<PlannedBatch> = []
  let next = gaussian.draw(gaussian.init(pool, full))
  while (next !== undefined && batches.length < (options.steps ?? Infinity)) {
    batches.push(next[0])
    next = gaussian.draw(next[1])
  }
  return batches
}

const countsOf = (pool: ReadonlyArray<RatedQuestion>, batch: PlannedBatch): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const id of batch.questions) {
    const question = pool.find((each) => each.question_id === id)
    const rate = String((question?.passed ?? NaN) / (question?.scored ?? NaN))
    counts[rate] = (counts[rate] ?? 0) + 1
  }
  return counts
}

const equalsNaive = (pool: ReadonlyArray<RatedQuestion>, size: number, sigma: number, steps?: number): void => {
  const real = drawn(pool, { promptsPerStep: size, sigma, steps })
  const naive = pool.length === 0 ? [] : naiveGaussian(pool, size, sigma, steps)
  assert.strictEqual(real.length, naive.length)
  real.forEach((batch, t) => {
    assert.closeTo(batch.targetMean ?? NaN, naive[t]?.mu ?? NaN, 1e-12)
    assert.strictEqual(batch.fill, naive[t]?.fill)
    assert.deepStrictEqual(countsOf(pool, batch), naive[t]?.counts)
  })
}

describe("the gaussian batcher equals the paper's pseudo-code", () => {
  it.prop(
    "on arbitrary pools over a whole pass",
    [pools, sizes, sigmas],
    ([pool, size, sigma]) => equalsNaive(pool, size, sigma),
    { arbitrary: { runs: 500 } }
  )

  it.prop("on arbitrary pools over fewer steps", [pools, sizes, sigmas, sizes], ([pool, size, sigma, steps]) =>
    equalsNaive(pool, size, sigma, steps)
  )

  it("on one level, on a batch larger than the pool, and on an empty pool", () => {
    equalsNaive(poolOf([0, 0, 11], 8), 4, 0.12)
    equalsNaive(poolOf([3, 2, 1], 8), 100, 0.12)
    assert.deepStrictEqual(drawn([], {}), [])
  })

  it("on the profile of the sorting demonstration", () => {
    equalsNaive(poolOf([332, 469, 428, 393, 270, 252], 8), 32, 0.12)
    equalsNaive(poolOf([332, 469, 428, 393, 270, 252], 8), 32, 0.12, 50)
  })
})

describe("the centre", () => {
  it.prop("falls from the highest to the lowest rate", [pools, sizes, seeds], ([pool, size, seed]) => {
    const means = drawn(pool, { promptsPerStep: size, seed: Seed.root(seed) }).map((batch) => batch.targetMean ?? NaN)
    const rates = pool.map((question) => question.passed / question.scored)
    if (means.length > 0) assert.strictEqual(means[0], Math.max(...rates))
    if (means.length > 1) assert.closeTo(means.at(-1) ?? NaN, Math.min(...rates), 1e-12)
    for (let t = 1; t < means.length; t++) assert.isAtMost(means[t] ?? NaN, (means[t - 1] ?? NaN) + 1e-12)
  })

  it("spans the steps of a run that is shorter than a pass", () => {
    const batches = drawn(poolOf([100, 100, 100, 100, 100], 4), { promptsPerStep: 10, steps: 5 })
    assert.deepStrictEqual(
      batches.map((batch) => batch.targetMean),
      [1, 0.75, 0.5, 0.25, 0]
    )
  })

  it("goes where the manifest says", () => {
    const batches = drawn(poolOf([10, 10, 10], 2), { promptsPerStep: 10, start: 0.25, end: 0.75 })
    assert.deepStrictEqual(
      batches.map((batch) => batch.targetMean),
      [0.25, 0.5, 0.75]
    )
  })

  it("brings the achieved mean down on an even pool and on that of the sorting demonstration", () => {
    const means = (counts: ReadonlyArray<number>, promptsPerStep: number, steps: number): ReadonlyArray<number> =>
      drawn(poolOf(counts, 8), { promptsPerStep, steps }).map((batch) => batch.achievedMean)
    const even = means([200, 200, 200, 200, 200, 200], 40, 15)
    for (let t = 1; t < 15; t++) assert.isBelow(even[t] ?? NaN, even[t - 1] ?? NaN)
    const sorting = means([332, 469, 428, 393, 270, 252], 32, 50)
    for (let t = 1; t < 50; t++) assert.isAtMost(sorting[t] ?? NaN, sorting[t - 1] ?? NaN)
    assert.isAbove((sorting[0] ?? NaN) - (sorting[49] ?? NaN), 0.5)
  })
})

it("batches are shuffled: the questions of a level do not stand together", () => {
  const [batch] = drawn(poolOf([50, 50], 1), { promptsPerStep: 100, sigma: 1 })
  const changes = batch?.questions.filter((id, i, all) => i > 0 && id[0] !== all[i - 1]?.[0]).length ?? 0
  // Of 99 neighbours in a random order half differ, with a standard deviation of 5.
  assert.isAbove(changes, 25)
})

it("more than 256 distinct rates are binned to 1/64, and means stay those of the questions", () => {
  const pool = Array.from({ length: 600 }, (_, i) => ({ question_id: `q${i}`, passed: i, scored: 599 }))
  const state = gaussian.init(pool, { promptsPerStep: 60, lastBatch: "partial", sigma: 0.12, seed: Seed.root(0) })
  assert.strictEqual(gaussian.metrics(state)["curriculum/distinct_rates"], 600)
  assert.strictEqual(gaussian.metrics(state)["curriculum/levels"], 65)
  const batches = drawn(pool, { promptsPerStep: 600 })
  assert.closeTo(batches[0]?.achievedMean ?? NaN, 0.5, 1e-12)
})

it("a sigma too narrow for any neighbour still serves the nearest level", () => {
  const [first] = drawn(poolOf([5, 5, 5], 2), { promptsPerStep: 5, sigma: 1e-300 })
  assert.strictEqual(first?.achievedMean, 1)
  assert.strictEqual(first?.fill, 0)
})
