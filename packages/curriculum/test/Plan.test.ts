import { assert, describe, it } from "@effect/vitest"
import * as Digest from "@gradus/domain/Digest"
import { CurriculumSpec } from "@gradus/domain/manifest/Curriculum"
import * as Seed from "@gradus/domain/Seed"
import * as Schema from "effect/Schema"
import { batcherOf, needsOutcomes } from "../src/Batchers.ts"
import { plan, planDigest } from "../src/Plan.ts"
import { poolOf } from "./Pools.ts"

const gaussian = { batcher: "gaussian", sigma: 0.12, centre: "linear", last_batch: "partial" } as const
const uniform = { batcher: "uniform", last_batch: "partial" } as const
const pool = poolOf([30, 30, 30, 30], 8)
const seed = Seed.root(7)

describe("plan", () => {
  it("an empty pool gives an empty plan and says so", () => {
    const { batches, notes } = plan({ pool: [], spec: gaussian, promptsPerStep: 4, seed })
    assert.deepStrictEqual(batches, [])
    assert.deepStrictEqual(notes, ["no question is left to plan with"])
  })

  it("stops after the steps asked for, and counts what is not used", () => {
    for (const spec of [gaussian, uniform]) {
      const { batches, notes } = plan({ pool, spec, promptsPerStep: 10, steps: 5, seed })
      assert.strictEqual(batches.length, 5)
      assert.strictEqual(new Set(batches.flatMap((batch) => batch.questions)).size, 50)
      assert.deepStrictEqual(notes, ["70 of 120 questions are not used in 5 steps"])
    }
  })

  it("never exceeds a pass", () => {
    const { batches, notes } = plan({ pool, spec: gaussian, promptsPerStep: 50, steps: 9, seed })
    assert.deepStrictEqual(
      batches.map((batch) => batch.questions.length),
      [50, 50, 20]
    )
    assert.deepStrictEqual(notes, ["9 steps were asked for; one pass over 120 questions has 3"])
  })

  it("drops a partial last batch where the manifest says so", () => {
    const { batches, notes } = plan({ pool, spec: { ...gaussian, last_batch: "drop" }, promptsPerStep: 50, seed })
    assert.strictEqual(batches.length, 2)
    assert.deepStrictEqual(notes, ["20 of 120 questions are not used in 2 steps"])
  })

  it("says when rates were binned", () => {
    const many = Array.from({ length: 300 }, (_, i) => ({ question_id: `q${i}`, passed: i, scored: 300 }))
    const { notes } = plan({ pool: many, spec: gaussian, promptsPerStep: 100, seed })
    assert.deepStrictEqual(notes, ["300 distinct pass rates were put into bins of 1/64"])
  })

  it("refuses fewer than one prompt a step", () => {
    assert.throws(
      () => plan({ pool, spec: gaussian, promptsPerStep: 0, seed }),
      "train.prompts_per_step: 0 is no whole number of at least 1"
    )
  })
})

describe("plans of other batchers", () => {
  const decode = Schema.decodeSync(CurriculumSpec)
  const planned = (spec: typeof CurriculumSpec.Encoded, steps?: number) =>
    plan({ pool, spec: decode(spec), promptsPerStep: 30, steps, seed })

  it("sorted, reversed and e2h_gaussian without replacement serve each question once", () => {
    for (const spec of [
      { batcher: "sorted" },
      { batcher: "reversed" },
      { batcher: "e2h_gaussian", reuse: false }
    ] as const) {
      const { batches, notes } = planned(spec)
      assert.strictEqual(new Set(batches.flatMap((batch) => batch.questions)).size, 120)
      assert.deepStrictEqual(notes, [])
    }
  })

  it("with replacement a plan is a pass long, or as many steps as are asked for", () => {
    assert.strictEqual(planned({ batcher: "e2h_gaussian" }).batches.length, 4)
    const { batches, notes } = planned({ batcher: "e2h_gaussian" }, 11)
    assert.strictEqual(batches.length, 11)
    assert.deepStrictEqual(notes, [])
  })

  it("epochs that serve the pool whole are passes", () => {
    const { batches, notes } = planned({ batcher: "gaussian", epochs: 2, reuse: true }, 9)
    assert.strictEqual(batches.length, 8)
    assert.deepStrictEqual(notes, ["9 steps were asked for; 2 passes over 120 questions have 8"])
  })

  it("batchers that learn from outcomes are refused by key", () => {
    for (const batcher of ["balanced", "adarft", "learnability", "pools", "bandit"] as const) {
      assert.isTrue(needsOutcomes(decode({ batcher })))
      assert.throws(() => planned({ batcher }), `curriculum.batcher: ${batcher} learns`)
      const bound = batcherOf(decode({ batcher }))
      const state = bound.init(pool, { promptsPerStep: 5, lastBatch: "partial", seed })
      assert.lengthOf(bound.draw(state)?.[0].questions ?? [], 5)
    }
  })
})

describe("digest.plan", () => {
  it("is that of the ids alone, as arrays of arrays", () => {
    const { batches } = plan({ pool, spec: gaussian, promptsPerStep: 50, seed })
    const text = JSON.stringify(batches.map((batch) => batch.questions))
    assert.strictEqual(planDigest(batches), Digest.ofText(text))
    assert.strictEqual(planDigest(batches.map((batch) => ({ ...batch, fill: 99 }))), Digest.ofText(text))
  })

  it("changes with the seed and with the batcher", () => {
    const digest = (spec: typeof gaussian | typeof uniform, n: number): string =>
      planDigest(plan({ pool, spec, promptsPerStep: 10, seed: Seed.root(n) }).batches)
    assert.strictEqual(new Set([digest(gaussian, 1), digest(gaussian, 2), digest(uniform, 1)]).size, 3)
  })
})
