import * as Seed from "@gradus/domain/Seed"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { denominator, generationMetrics, splitGroups, updateRows, weigh } from "../src/StepBatch.ts"
import { group, manifest } from "./steps.ts"

const seed = Seed.root(1)
const countTo = (most: number) => Schema.Int.check(Schema.isGreaterThanOrEqualTo(1), Schema.isLessThanOrEqualTo(most))

describe("weighing a step's groups", () => {
  it("gives each completion its advantage within its own group; unscored ones have none and do not move the others", () => {
    const [a, b] = weigh(
      manifest({ train: { advantage: "dr_grpo" } }),
      [group("a", [1, 0, null]), group("b", [1, 1])],
      seed
    )
    assert.deepStrictEqual(a?.advantages, [0.5, -0.5, null])
    assert.deepStrictEqual(b?.advantages, [0, 0])
    assert.deepStrictEqual([a?.zeroVariance, b?.zeroVariance], [false, true])
  })

  it("takes a group as constant up to the manifest's tolerance", () => {
    const values = [group("a", [0.9, 1, 1])]
    const [constant] = weigh(manifest({ train: { constant_tolerance: 0.2 } }), values, seed)
    assert.deepStrictEqual(constant?.advantages, [0, 0, 0])
    assert.isFalse(weigh(manifest({ train: {} }), values, seed)[0]?.zeroVariance)
  })

  it("drops a group with fewer scored completions than its floor", () => {
    const [a] = weigh(manifest({ train: { group_floor: 2 } }), [group("a", [1, null, null])], seed)
    assert.isTrue(a?.dropped)
    assert.deepStrictEqual(a?.advantages, [null, null, null])
  })

  it("shuffled rewards are the batch's own, in another order that only the seed decides", () => {
    const control = manifest({ rewards: { control: "shuffled" } })
    const groups = [group("a", [1, 1, 1, 1]), group("b", [0, 0, 0, 0]), group("c", [0, 0, 0, 1])]
    const values = (s: Seed.Seed) => weigh(control, groups, s).flatMap((one) => one.values)
    assert.sameMembers([...values(seed)], [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1])
    assert.deepStrictEqual(values(seed), values(seed))
    assert.notDeepEqual(values(seed), values(Seed.root(2)))
  })
})

describe("the rows of an update", () => {
  it("hold prompt and completion, masked and with log-probabilities where the policy sampled", () => {
    const spec = manifest({ train: { advantage: "dr_grpo" } })
    const [first, second] = updateRows(spec, weigh(spec, [group("a", [1, 0])], seed))
    assert.deepStrictEqual(first, {
      sample_id: "train/1/a/0",
      group_id: "train/1/a",
      token_ids: [7, 8, 10],
      loss_mask: [0, 0, 1],
      rollout_logprob: [0, 0, -1],
      advantage: 0.5,
      temperature: 1,
      reward: 1,
      truncated: 0
    })
    assert.deepStrictEqual(second?.loss_mask, [0, 0, 1, 1])
    assert.strictEqual(second?.advantage, -0.5)
  })

  it("leave out what cannot teach: equal groups, unscored completions, and cut ones where these are masked", () => {
    const rows = (spec: ReturnType<typeof manifest>, ...groups: ReadonlyArray<ReturnType<typeof group>>) =>
      updateRows(spec, weigh(spec, groups, seed)).map((row) => row.sample_id)
    assert.deepStrictEqual(rows(manifest(), group("a", [1, 1]), group("b", [1, 0, null])), [
      "train/1/b/0",
      "train/1/b/1"
    ])
    const cut = group("c", [1, 0], { finish_reason: "length" })
    assert.lengthOf(rows(manifest(), cut), 2)
    assert.lengthOf(rows(manifest({ rewards: { truncated: "mask" } }), cut), 0)
  })

  it("keep equal groups when a KL term pulls on them", () => {
    const spec = manifest({ train: { loss: { kl_coef: 0.1 } } })
    assert.lengthOf(updateRows(spec, weigh(spec, [group("a", [1, 1])], seed)), 2)
  })

  it("mask a token whose sampler log-probability is not finite, and count it", () => {
    const broken = group("a", [1, 0], { token_ids: [10, 11], logprobs: [-1, null] })
    const weighed = weigh(manifest(), [broken], seed)
    const [row] = updateRows(manifest(), weighed)
    assert.deepStrictEqual(row?.loss_mask, [0, 0, 1, 0])
    assert.deepStrictEqual(row?.rollout_logprob, [0, 0, -1, 0])
    assert.strictEqual(generationMetrics(weighed, 1)["tokens/nonfinite_logprobs"], 2)
  })
})

describe("the denominator of an update", () => {
  const groups = [group("a", [1, 0]), group("b", [1, 1]), group("c", [null, null])]
  const of = (normaliser: string): number => {
    const spec = manifest({ train: { normaliser } })
    return denominator(spec, weigh(spec, groups, seed))
  }
  it("counts all completions of groups that are not dropped, also those without a gradient", () => {
    // two groups of completions with 1 and 2 tokens; max_tokens 8
    assert.strictEqual(of("tokens"), 6)
    assert.strictEqual(of("sequences"), 4)
    assert.strictEqual(of("constant"), 32)
  })
})

describe("splitting a step over updates", () => {
  it.prop(
    "keeps every group once and in order, in sizes that differ by one at most",
    { n: countTo(40), u: countTo(8) },
    ({ n, u }) => {
      const items = Array.from({ length: n }, (_, i) => i)
      const parts = splitGroups(items, u)
      const sizes = parts.map((part) => part.length)
      return (
        parts.length === u &&
        JSON.stringify(parts.flat()) === JSON.stringify(items) &&
        Math.max(...sizes) - Math.min(...sizes) <= 1
      )
    }
  )
})

describe("the metrics of a step", () => {
  it("leave unscored completions out of the reward and say how many there were", () => {
    const metrics = generationMetrics(
      weigh(manifest(), [group("a", [1, 0, null, null]), group("b", [1, 1, 1, 1])], seed),
      1
    )
    // the mean over groups, not over completions: a half and all
    assert.strictEqual(metrics["group_pass_rate"], 0.75)
    assert.strictEqual(metrics["reward"], 5 / 6)
    assert.strictEqual(metrics["unscored"], 2)
    assert.strictEqual(metrics["frac_reward_zero_std"], 0.5)
    assert.strictEqual(metrics["completions/mean_length"], 2.5)
    assert.strictEqual(metrics["completions/max_length"], 4)
    assert.strictEqual(metrics["tokens/generated"], 20)
  })
})
