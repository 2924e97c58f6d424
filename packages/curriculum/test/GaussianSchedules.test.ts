/** The Gaussian batcher's paths, widths, epochs and domains. */
import { assert, describe, it } from "@effect/vitest"
import type { PlannedBatch } from "@gradus/domain/Plan"
import type { RatedQuestion } from "@gradus/domain/Profile"
import * as Seed from "@gradus/domain/Seed"
import { gaussian, type GaussianOptions } from "../src/batchers/Gaussian.ts"
import { quotas, ratiosOf } from "../src/DomainQuota.ts"
import { bend, quantileCentre, width } from "../src/Schedule.ts"
import { poolOf, pools, seeds, sizes } from "./Pools.ts"

const drawn = (pool: ReadonlyArray<RatedQuestion>, options: Partial<GaussianOptions>): Array<PlannedBatch> => {
  const full = { promptsPerStep: 10, lastBatch: "partial", sigma: 0.12, seed: Seed.root(0), ...options } as const
  const batches: Array<PlannedBatch> = []
  let next = gaussian.draw(gaussian.init(pool, full))
  while (next !== undefined && batches.length < (options.steps ?? 500)) {
    batches.push(next[0])
    next = gaussian.draw(next[1])
  }
  return batches
}
const targets = (options: Partial<GaussianOptions>): ReadonlyArray<number> =>
  drawn(poolOf([10, 10, 10, 10, 10], 4), options).map((batch) => Math.round((batch.targetMean ?? NaN) * 1e6) / 1e6)

const inDomains = (counts: Readonly<Record<string, ReadonlyArray<number>>>): ReadonlyArray<RatedQuestion> =>
  Object.entries(counts).flatMap(([domain, own]) =>
    poolOf(own, 4).map((question) => ({ ...question, question_id: `${domain}:${question.question_id}`, domain }))
  )
const ofDomain = (batch: PlannedBatch | undefined, domain: string): number =>
  batch?.questions.filter((id) => id.startsWith(`${domain}:`)).length ?? NaN

describe("the paths of the centre", () => {
  it("are those of their formulas at the start, in the middle and at the end", () => {
    for (const path of ["linear", "cosine", "root", "step"] as const) {
      assert.strictEqual(bend(path, 0, 4), 0)
      assert.closeTo(bend(path, 1, 4), 1, 1e-15)
    }
    assert.closeTo(bend("cosine", 0.25, 4), (1 - Math.SQRT1_2) / 2, 1e-15)
    assert.strictEqual(bend("root", 0.25, 4), 0.5)
    assert.deepStrictEqual(
      [0, 0.24, 0.25, 0.5, 0.74, 0.75, 1].map((u) => bend("step", u, 4) * 3),
      [0, 0, 1, 2, 2, 3, 3]
    )
    assert.strictEqual(bend("step", 0.7, 1), 0)
  })

  it("lead the plan", () => {
    assert.deepStrictEqual(targets({ centre: "linear" }), [1, 0.75, 0.5, 0.25, 0])
    assert.deepStrictEqual(targets({ centre: "root" }), [1, 0.5, 0.292893, 0.133975, 0])
    assert.deepStrictEqual(targets({ centre: "step", stairs: 2 }), [1, 1, 0, 0, 0])
    assert.deepStrictEqual(targets({ centre: "cosine" }), [1, 0.853553, 0.5, 0.146447, 0])
  })

  it("do not move on by refills where the steps are stated, and go as the pool does where it ends them", () => {
    const refilled = (steps: number | undefined, each: number) => {
      const pool = poolOf([20, 20, 20, 20, 20], 4)
      const options = { promptsPerStep: 10, lastBatch: "partial", sigma: 0.12, seed: Seed.root(0), steps } as const
      let state = gaussian.init(pool, options)
      const seen: Array<number> = []
      for (let step = 0; step < (steps ?? 100); step++) {
        const [first, drawn] = gaussian.draw(state) ?? []
        if (first === undefined || drawn === undefined) return seen
        seen.push(Math.round((first.targetMean ?? NaN) * 1e4) / 1e4)
        const [batch, more] = each === 0 ? [] : (gaussian.draw(drawn, each) ?? [])
        state = more ?? drawn
        if (steps !== undefined && each > 0) assert.closeTo(batch?.targetMean ?? NaN, first.targetMean ?? NaN, 1e-12)
      }
      return seen
    }
    assert.deepStrictEqual(refilled(5, 1), [1, 0.75, 0.5, 0.25, 0])
    assert.deepStrictEqual(refilled(5, 9), [1, 0.75, 0.5, 0.25, 0])
    // 20 questions a step: 5 steps instead of 10, each two places of the path on
    assert.deepStrictEqual(refilled(undefined, 10), [1, 0.7778, 0.5556, 0.3333, 0.1111])
    assert.deepStrictEqual(
      refilled(undefined, 0),
      drawn(poolOf([20, 20, 20, 20, 20], 4), {}).map((batch) => Math.round((batch.targetMean ?? NaN) * 1e4) / 1e4)
    )
  })

  it("quantile: the centre is the mean of equal slices of the sorted pool", () => {
    assert.deepStrictEqual(
      [0, 1, 2].map((step) => quantileCentre([0, 0.5, 1], [1, 4, 1], step, 3)),
      [0.75, 0.5, 0.25]
    )
    assert.strictEqual(quantileCentre([0, 0.5, 1], [1, 4, 1], 7, 3), 0.25)
    assert.strictEqual(quantileCentre([], [], 0, 0), 0)
  })

  it("quantile: no batch needs fill in the limit of a narrow width where slices are levels, and leftovers vanish on a skewed pool", () => {
    const skewed = poolOf([300, 60, 40, 60, 40], 4)
    const fill = (centre: "linear" | "quantile"): number =>
      drawn(skewed, { centre, sigma: 0.05 }).reduce((sum, batch) => sum + batch.fill, 0)
    assert.isBelow(fill("quantile"), 0.35 * fill("linear"))
    assert.strictEqual(
      drawn(poolOf([10, 10, 10, 10, 10], 4), { centre: "quantile", sigma: 0.01 }).reduce((sum, b) => sum + b.fill, 0),
      0
    )
  })
})

describe("the quantile centre leaves no leftovers", () => {
  it("on a skewed pool: hardly any fill, and the last batches are the hardest", () => {
    const skewed = poolOf([700, 469, 428, 300, 270, 120], 8)
    for (const sigma of [0.03, 0.08, 0.12, 0.3]) {
      const batches = drawn(skewed, { centre: "quantile", sigma, promptsPerStep: 32 })
      const fill = batches.reduce((sum, batch) => sum + batch.fill, 0)
      assert.isBelow(fill / 2287, 0.01, `sigma ${sigma}`)
      batches.slice(0, -1).forEach((batch, t) => {
        assert.isAtMost(Math.abs(batch.achievedMean - (batches[t + 1]?.achievedMean ?? NaN)), 0.12, `batch ${t + 1}`)
      })
      assert.isAbove(
        (batches[0]?.achievedMean ?? NaN) - (batches.at(-2)?.achievedMean ?? NaN),
        sigma < 0.2 ? 0.3 : 0.05
      )
    }
  })

  it("in each of several domains, and with a level so rare that no batch wants a whole question of it", () => {
    const pool = inDomains({ a: [200, 5, 100, 50, 40], b: [30, 60, 60, 2, 90] })
    const batches = drawn(pool, { centre: "quantile", sigma: 0.15, promptsPerStep: 16 })
    const fill = batches.reduce((sum, batch) => sum + batch.fill, 0)
    assert.isBelow(fill / pool.length, 0.02)
  })
})

describe("the width", () => {
  it("goes from sigma to its end with the progress, or stays", () => {
    assert.strictEqual(width(0.3, null, 0.7), 0.3)
    assert.closeTo(width(0.3, 0.1, 0.25), 0.25, 1e-15)
    const options = { promptsPerStep: 10, lastBatch: "partial", sigma: 0.4, sigmaEnd: 0.1, seed: Seed.root(0) } as const
    let state = gaussian.init(poolOf([10, 10, 10], 2), options)
    const sigmas: Array<number> = []
    for (let next = gaussian.draw(state); next !== undefined; next = gaussian.draw(state)) {
      sigmas.push(gaussian.target(state)?.sigma ?? NaN)
      state = next[1]
    }
    assert.deepStrictEqual(
      sigmas.map((sigma) => Math.round(sigma * 1e9) / 1e9),
      [0.4, 0.25, 0.1]
    )
  })
})

describe("epochs", () => {
  it("that share the pool fall once each and draw nothing twice", () => {
    assert.deepStrictEqual(targets({ epochs: 2, promptsPerStep: 9 }), [1, 0.5, 0, 1, 0.5, 0])
  })
  it("that serve the pool whole begin with it full again, in another order", () => {
    const pool = poolOf([10, 10], 1)
    const batches = drawn(pool, { epochs: 2, reuse: true, sigma: 0.01 })
    assert.deepStrictEqual(
      batches.map((batch) => batch.targetMean),
      [1, 0, 1, 0]
    )
    assert.deepStrictEqual(batches[0]?.questions.toSorted(), batches[2]?.questions.toSorted())
    assert.notDeepEqual(batches[0]?.questions, batches[2]?.questions)
  })
  it("end after their span when fewer steps are asked for than the passes have", () => {
    assert.deepStrictEqual(targets({ epochs: 2, reuse: true, steps: 6 }), [1, 0.5, 0, 1, 0.5, 0])
  })
})

describe("domains", () => {
  const pool = inDomains({ code: [30, 30, 30, 30, 30], maths: [60, 60, 60, 60, 60], rare: [3, 3, 3, 3, 3] })

  it("keep their ratios in every batch to within a question of the cumulative share, also below one question a batch", () => {
    const batches = drawn(pool, { promptsPerStep: 20 })
    const share = { code: 150 / 465, maths: 300 / 465, rare: 15 / 465 }
    for (const [domain, ratio] of Object.entries(share)) {
      let had = 0
      batches.slice(0, -1).forEach((batch, t) => {
        had += ofDomain(batch, domain)
        assert.isAtMost(Math.abs(had - (t + 1) * 20 * ratio), 1 + 1e-9, `${domain} after batch ${t + 1}`)
      })
    }
  })

  it("have their own easy-to-hard order: in each the mean falls", () => {
    const rate = new Map(pool.map(({ passed, question_id, scored }) => [question_id, passed / scored]))
    const batches = drawn(pool, { promptsPerStep: 31, sigma: 0.05, centre: "quantile" })
    for (const domain of ["code", "maths"]) {
      const means = batches.map((batch) => {
        const own = batch.questions.filter((id) => id.startsWith(domain))
        return own.reduce((sum, id) => sum + (rate.get(id) ?? NaN), 0) / own.length
      })
      assert.isAbove((means[0] ?? NaN) - (means.at(-1) ?? NaN), 0.8)
      assert.isAbove(means[0] ?? NaN, means[7] ?? NaN)
      assert.isAbove(means[7] ?? NaN, means.at(-1) ?? NaN)
    }
  })

  it("take given ratios, and what a domain cannot give comes from the one with the most left", () => {
    const batches = drawn(pool, { promptsPerStep: 20, domains: { code: 1, maths: 2, rare: 1 } })
    assert.deepStrictEqual(
      ["code", "maths", "rare"].map((domain) => ofDomain(batches[0], domain)),
      [5, 10, 5]
    )
    const ids = batches.flatMap((batch) => batch.questions)
    assert.strictEqual(new Set(ids).size, 465)
    assert.strictEqual(ids.length, 465)
    // `rare` is empty after three batches: its 5 go to maths, which has the most left.
    assert.deepStrictEqual(
      ["code", "maths", "rare"].map((domain) => ofDomain(batches[3], domain)),
      [5, 15, 0]
    )
  })

  it("are not told apart when they are to be ignored", () => {
    const plain = drawn(
      pool.map(({ domain: _domain, ...question }) => question),
      { promptsPerStep: 20 }
    )
    assert.deepStrictEqual(drawn(pool, { promptsPerStep: 20, domains: "ignore" }), plain)
  })

  it("without a weight are an error that names the key", () => {
    assert.throws(() => drawn(pool, { domains: { code: 1, maths: 1 } }), "curriculum.domain_ratios.rare: the pool has")
    assert.throws(() => ratiosOf(["a"], [1], { a: 0 }), "no domain of the pool has a positive weight")
    assert.throws(() => ratiosOf(["a"], [1], { a: NaN }), "curriculum.domain_ratios.a: the pool has")
    assert.throws(
      () => ratiosOf(["", "a"], [1, 1], { a: 1 }),
      "curriculum.domain_ratios: the pool has questions without"
    )
  })

  it("that the pool lacks are an error that names the key and what the pool has", () => {
    assert.throws(
      () => drawn(pool, { domains: { code: 1, maths: 1, rare: 1, Maths: 1 } }),
      "curriculum.domain_ratios.Maths: the pool has no question of this domain; it has code, maths, rare"
    )
    // a pool of one domain has its name, too
    const code = inDomains({ code: [2, 2, 2, 2, 2] })
    assert.lengthOf(drawn(code, { domains: { code: 1 } })[0]?.questions ?? [], code.length)
    assert.throws(
      () => drawn(code, { domains: { maths: 1 } }),
      "curriculum.domain_ratios.maths: the pool has no question"
    )
    // what takes no part in a batch may be named beforehand; an empty pool gives no batch
    assert.deepStrictEqual([...ratiosOf(["a"], [1], { a: 2, b: 0 })], [1])
    assert.lengthOf(drawn([], { domains: { code: 1 } }), 0)
  })

  it("are conserved with any pool: quotas sum to the batch and never exceed what is left", () => {
    const ratios = ratiosOf(["a", "b", "c"], [], { a: 0.5, b: 0.3, c: 0.2 })
    assert.deepStrictEqual([...quotas(7, ratios, [0, 0, 0], [100, 100, 100])], [4, 2, 1])
    assert.deepStrictEqual([...quotas(7, ratios, [4, 2, 1], [100, 100, 100])], [3, 2, 2])
    assert.deepStrictEqual([...quotas(7, ratios, [0, 0, 0], [1, 2, 1])], [1, 2, 1])
    assert.deepStrictEqual([...quotas(7, ratios, [0, 0, 0], [1, 100, 1])], [1, 5, 1])
  })

  it.prop("every question of two domains is drawn exactly once", [pools, sizes, seeds], ([own, size, seed]) => {
    const both = own.map((question, i) => ({ ...question, domain: i % 3 === 0 ? "x" : "y" }))
    const ids = drawn(both, { promptsPerStep: size, seed: Seed.root(seed) }).flatMap((batch) => batch.questions)
    assert.deepStrictEqual(ids.toSorted(), both.map(({ question_id }) => question_id).toSorted())
  })
})
