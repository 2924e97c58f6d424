/** The batchers that learn from outcomes: their laws, with and without replacement, and what each one's formula says. */
import { assert, describe, it } from "@effect/vitest"
import type { PlannedBatch } from "@gradus/domain/Plan"
import * as Seed from "@gradus/domain/Seed"
import type { Batcher, DrawOptions, Outcome } from "../src/Batcher.ts"
import { adarft, moved } from "../src/batchers/AdaRft.ts"
import { balanced } from "../src/batchers/Balanced.ts"
import { bandit, groupReward } from "../src/batchers/Bandit.ts"
import { e2hGaussian, e2hShares } from "../src/batchers/E2hGaussian.ts"
import { learnability } from "../src/batchers/Learnability.ts"
import { defaultPools, orderedPools, poolOf as poolOfRate, pools } from "../src/batchers/Pools.ts"
import { batcherLaws } from "./BatcherLaws.ts"
import { poolOf } from "./Pools.ts"

for (const [replacement, reuse] of [
  ["again", true],
  ["once", false]
] as const) {
  const named = (name: string): string => `${name} (${reuse ? "with" : "without"} replacement)`
  batcherLaws(named("e2h_gaussian"), e2hGaussian, { reuse }, { replacement })
  batcherLaws(named("bandit"), bandit, { reuse }, { replacement })
  batcherLaws(named("learnability"), learnability, { reuse }, { replacement })
  batcherLaws(named("balanced"), balanced, { reuse }, { replacement, patience: 200 })
  batcherLaws(named("pools"), pools, { reuse }, { replacement })
  batcherLaws(named("pools, unseen at first"), pools, { reuse, begin: "unseen" }, { replacement })
  // AdaRFT serves the B nearest to its target and nobody else: with replacement far levels wait as long as the reward keeps them far.
  batcherLaws(named("adarft"), adarft, { reuse }, { replacement })
}

const options: DrawOptions = { promptsPerStep: 12, lastBatch: "partial", seed: Seed.root(4) }

const run = <State, O extends DrawOptions>(
  batcher: Batcher<State, O>,
  init: State,
  steps: number,
  outcome: (id: string) => Omit<Outcome, "question_id">
): { batches: Array<PlannedBatch>; end: State } => {
  const batches: Array<PlannedBatch> = []
  let state = init
  for (let t = 0; t < steps; t++) {
    const drawn = batcher.draw(state)
    if (drawn === undefined) break
    batches.push(drawn[0])
    state = batcher.observe(
      drawn[1],
      drawn[0].questions.map((question_id) => ({ question_id, ...outcome(question_id) }))
    )
  }
  return { batches, end: state }
}

const levels = (batch: PlannedBatch): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const id of batch.questions) counts[id[0] ?? ""] = (counts[id[0] ?? ""] ?? 0) + 1
  return counts
}

describe("e2h_gaussian", () => {
  it("weighs levels as published: at the start, half-way and at the end of 3 levels", () => {
    const own = { sigma: 0.5, beta: 0.5, floor: null }
    const shares = (u: number): ReadonlyArray<number> => {
      const weights = [0, 1, 2].map((k) => Math.exp(-((k - Math.sqrt(u) * 2) ** 2) / (2 * 0.25)))
      const sum = weights.reduce((total, weight) => total + weight, 0)
      const floored = weights.map((weight) => Math.max(weight / sum, 2 / 12))
      const all = floored.reduce((total, weight) => total + weight, 0)
      return floored.map((weight) => weight / all)
    }
    for (const u of [0, 0.25, 0.5, 1]) {
      e2hShares(3, u, own).forEach((share, k) => assert.closeTo(share, shares(u)[k] ?? NaN, 1e-12))
    }
    assert.isAbove(e2hShares(3, 0, own)[0] ?? NaN, 0.6)
    assert.isAbove(e2hShares(3, 1, own)[2] ?? NaN, 0.6)
  })

  it("goes from the easiest level to the hardest", () => {
    const pool = poolOf([60, 60, 60], 2)
    const { batches } = run(e2hGaussian, e2hGaussian.init(pool, { ...options, steps: 15 }), 15, () => ({
      scored: 1,
      passed: 1
    }))
    assert.isAbove(batches[0]?.achievedMean ?? NaN, 0.6)
    assert.isBelow(batches.at(-1)?.achievedMean ?? NaN, 0.4)
    assert.isBelow(batches.at(-1)?.targetMean ?? NaN, batches[0]?.targetMean ?? NaN)
  })
})

describe("a refill of e2h_gaussian", () => {
  it("aims where the batch before it did", () => {
    const start = e2hGaussian.init(poolOf([30, 30, 30], 2), { ...options, steps: 4 })
    const [first, once] = e2hGaussian.draw(start)!
    const [refill, twice] = e2hGaussian.draw(once, 4)!
    assert.strictEqual(refill.targetMean, first.targetMean)
    assert.lengthOf(refill.questions, 4)
    assert.deepStrictEqual(e2hGaussian.target(twice), e2hGaussian.target(once))
    assert.notDeepEqual(refill.questions, first.questions)
  })
})

describe("adarft", () => {
  it("moves its target by eta tanh(alpha (reward - beta)), within the scale", () => {
    const own = { difficulty: 0.4, eta: 0.5, alpha: 2, beta: 0.5, reuse: true }
    assert.closeTo(moved(own, 0.75), 0.4 + 0.5 * Math.tanh(0.5), 1e-15)
    assert.strictEqual(moved(own, 0), 0.4 - 0.5 * Math.tanh(1) < 0 ? 0 : 0.4 - 0.5 * Math.tanh(1))
    assert.strictEqual(moved({ ...own, difficulty: 0.9 }, 1), 1)
  })

  it("draws the questions nearest its target, and harder ones as the policy succeeds", () => {
    const pool = poolOf([40, 40, 40, 40, 40], 4)
    const { batches, end } = run(adarft, adarft.init(pool, { ...options, eta: 0.1 }), 12, () => ({
      scored: 8,
      passed: 8
    }))
    assert.deepStrictEqual(levels(batches[0]!), { 4: 12 })
    batches.forEach((batch, t) => {
      assert.closeTo(batch.targetMean ?? NaN, Math.max(0, 1 - t * 0.1 * Math.tanh(1)), 1e-12)
      for (const level of Object.keys(levels(batch))) {
        assert.isAtMost(Math.abs(Number(level) / 4 - (batch.targetMean ?? NaN)), 0.125 + 1e-9)
      }
    })
    assert.closeTo(adarft.metrics(end)["curriculum/centre"] ?? NaN, 1 - 12 * 0.1 * Math.tanh(1), 1e-12)
  })

  it("does not move by groups without a score, nor by questions it did not draw", () => {
    const drawn = adarft.draw(adarft.init(poolOf([20, 20], 2), options))!
    const after = adarft.observe(drawn[1], [
      { question_id: drawn[0].questions[0]!, scored: 0, passed: 0 },
      { question_id: "0/0", scored: 8, passed: 8 }
    ])
    assert.strictEqual(after.own.difficulty, 0)
  })
})

describe("bandit", () => {
  it("takes a binary group's mean absolute advantage as 2 sqrt(p (1 - p)), or the measured one", () => {
    const signs = [1, 1, 1, 0, 0, 0, 0, 0]
    const mean = 3 / 8
    const std = Math.sqrt(mean * (1 - mean))
    const measured = signs.reduce((sum, r) => sum + Math.abs((r - mean) / std), 0) / 8
    assert.closeTo(groupReward({ question_id: "q", scored: 8, passed: 3 }), measured, 1e-12)
    assert.strictEqual(groupReward({ question_id: "q", scored: 8, passed: 3, advantage: 0.1 }), 0.1)
    assert.strictEqual(groupReward({ question_id: "q", scored: 8, passed: 8 }), 0)
  })

  it("comes to prefer the level with the largest advantages", () => {
    const pool = poolOf([100, 100, 100], 2)
    const { batches, end } = run(bandit, bandit.init(pool, { ...options, tau: 0.1 }), 40, (id) => ({
      scored: 8,
      passed: id.startsWith("1") ? 4 : 8
    }))
    assert.isAtLeast(levels(batches.at(-1)!)["1"] ?? 0, 11)
    assert.closeTo(end.own.values[1] ?? NaN, 1, 1e-6)
    assert.closeTo(end.own.values[0] ?? NaN, 0, 1e-6)
  })

  it("leaves the value of a level that was not drawn or not scored as it was", () => {
    const drawn = bandit.draw(bandit.init(poolOf([50, 50], 2), options))!
    const easy = drawn[0].questions.filter((id) => id.startsWith("1"))
    const after = bandit.observe(drawn[1], [
      ...easy.map((question_id) => ({ question_id, scored: 2, passed: 1 })),
      ...drawn[0].questions
        .filter((id) => id.startsWith("0"))
        .map((question_id) => ({ question_id, scored: 0, passed: 0 }))
    ])
    assert.deepStrictEqual([...after.own.values], [0, 0.5])
  })
})

describe("weights by the latest pass rate", () => {
  it("learnability draws p (1 - p): shares over many batches are those of the formula", () => {
    const pool = poolOf([200, 200, 200, 200, 200], 4)
    let state = learnability.init(pool, { ...options, promptsPerStep: 10, floor: 0 })
    const counts = [0, 0, 0, 0, 0]
    for (let t = 0; t < 400; t++) {
      const [batch, after] = learnability.draw(state)!
      for (const id of batch.questions) counts[Number(id[0])]! += 1
      state = after
    }
    // Weights 0, 3/16, 4/16, 3/16, 0 of 10/16; four standard deviations of a binomial share of 4,000 draws are .031.
    const expected = [0, 0.3, 0.4, 0.3, 0]
    counts.forEach((count, k) => assert.closeTo(count / 4000, expected[k] ?? NaN, 0.031))
    assert.strictEqual(learnability.metrics(state)["curriculum/starved"], 400)
  })

  it("questions move with what comes of them: what is now always right is drawn no more, and comes back when it fails", () => {
    const pool = poolOf([0, 24, 0], 2)
    const settings = { ...options, floor: 0 }
    const [first, drawn] = learnability.draw(learnability.init(pool, settings))!
    const solved = learnability.observe(
      drawn,
      first.questions.map((question_id) => ({ question_id, scored: 8, passed: 8 }))
    )
    const [second, again] = learnability.draw(solved)!
    assert.lengthOf(
      second.questions.filter((id) => first.questions.includes(id)),
      0
    )
    assert.strictEqual(second.fill, 0)
    const both = learnability.observe(
      again,
      second.questions.map((question_id) => ({ question_id, scored: 8, passed: 8 }))
    )
    const [third, last] = learnability.draw(both)!
    assert.strictEqual(third.fill, 12)
    const failed = learnability.observe(
      last,
      third.questions.map((question_id) => ({ question_id, scored: 8, passed: 4 }))
    )
    assert.deepStrictEqual(learnability.draw(failed)?.[0].questions.toSorted(), third.questions.toSorted())
  })

  it("balanced draws the band .2 to .8, both ends included, and the rest seldom", () => {
    const pool = [
      { question_id: "low", passed: 1, scored: 5 },
      { question_id: "high", passed: 4, scored: 5 },
      { question_id: "never", passed: 0, scored: 5 },
      { question_id: "always", passed: 5, scored: 5 }
    ]
    const state = balanced.init(pool, { ...options, promptsPerStep: 2, outside: 0 })
    assert.deepStrictEqual(balanced.draw(state)?.[0].questions.toSorted(), ["high", "low"])
    assert.strictEqual(balanced.metrics(state)["curriculum/in_band"], 2)
  })

  it("pools: a rate at a threshold is in the lower pool, one above all thresholds in the last", () => {
    const own = orderedPools([
      { name: "easy", threshold: 0.9, weight: 0.5 },
      { name: "hard", threshold: 0.25, weight: 2 }
    ])
    assert.deepStrictEqual(
      [0, 0.25, 0.26, 0.9, 1].map((rate) => own[poolOfRate(own, rate)]?.name),
      ["hard", "hard", "easy", "easy", "easy"]
    )
    const state = pools.init(poolOf([5, 5, 5, 5, 5], 4), { ...options, pools: own })
    assert.deepInclude(pools.metrics(state), {
      "curriculum/pool/hard": 10,
      "curriculum/pool/easy": 15,
      "curriculum/pool/unseen": 0
    })
  })

  it("pools that cannot be are refused by key", () => {
    const init = (own: Parameters<typeof orderedPools>[0]) => () => pools.init([], { ...options, pools: own })
    assert.throws(init([]), "curriculum.pools: at least one")
    assert.throws(init([{ name: "a", threshold: 1, weight: 0 }]), "must be above 0")
    assert.throws(init([...defaultPools, { name: "x", threshold: 1, weight: 1 }]), "has the threshold of")
  })
})
