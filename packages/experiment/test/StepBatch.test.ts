import { assert, describe, it } from "@effect/vitest"
import { Manifest, type ManifestSpec } from "@gradus/domain/manifest/Manifest"
import * as Seed from "@gradus/domain/Seed"
import * as Schema from "effect/Schema"
import type { ScoredGroup } from "../src/Sampling.ts"
import { denominator, generationMetrics, splitGroups, updateRows, weigh, type WeighedGroup } from "../src/StepBatch.ts"

const manifestOf = (changed: Partial<ManifestSpec["train"]>, rewards: ManifestSpec["rewards"] = {}): Manifest =>
  Schema.decodeSync(Manifest)({
    version: 1,
    name: "step",
    questions: { kind: "sorting" },
    prompt: { template: "{question}", mode: { on: "", off: "" } },
    policy: { kind: "huggingface", path: "policy" },
    sampling: { max_tokens: 10 },
    rewards,
    train: { prompts_per_step: 2, samples_per_prompt: 3, learning_rate: { peak: 1 }, ...changed }
  })

interface Sampled {
  readonly value: number | null
  readonly logprobs: ReadonlyArray<number | null>
  readonly finish?: "stop" | "length"
}

/** A group with a prompt of two tokens; completion k has the token 10 + k as often as it has log-probabilities. */
const groupOf = (question_id: string, samples: ReadonlyArray<Sampled>): ScoredGroup => ({
  question: { question_id, question: "q", gold: "g", thinking: "on" },
  group: {
    group_id: `train/1/${question_id}`,
    prompt_token_ids: [1, 2],
    completions: samples.map(({ finish, logprobs }, k) => ({
      sample_id: `train/1/${question_id}/${k}`,
      group_id: `train/1/${question_id}`,
      k,
      text: "",
      token_ids: logprobs.map(() => 10 + k),
      logprobs,
      finish_reason: finish ?? "stop"
    })),
    failures: [],
    policy_version: 0
  },
  scores: samples.map(({ value }) => ({ value, answer: null, components: value === null ? {} : { accuracy: value } }))
})

const mixed = groupOf("a", [
  { value: 1, logprobs: [-1, -2] },
  { value: 0, logprobs: [-0.5, null, -0.25] },
  { value: null, logprobs: [-3] }
])
const flat = groupOf("b", [
  { value: 1, logprobs: [-1] },
  { value: 1, logprobs: [-1, -1, -1, -1], finish: "length" }
])
const lost = groupOf("c", [
  { value: null, logprobs: [-1] },
  { value: 1, logprobs: [-1] }
])

const weighed = (manifest: Manifest, groups: ReadonlyArray<ScoredGroup>): ReadonlyArray<WeighedGroup> =>
  weigh(manifest, groups, Seed.root(0))

describe("rows of an update", () => {
  it("hold what teaches: scored completions of groups that differ, with prompt tokens and lost log-probabilities masked", () => {
    const manifest = manifestOf({ advantage: "dr_grpo" })
    assert.deepStrictEqual(updateRows(manifest, weighed(manifest, [mixed, flat, lost])), [
      {
        sample_id: "train/1/a/0",
        group_id: "train/1/a",
        token_ids: [1, 2, 10, 10],
        loss_mask: [0, 0, 1, 1],
        rollout_logprob: [0, 0, -1, -2],
        advantage: 0.5,
        temperature: 1,
        reward: 1,
        truncated: 0
      },
      {
        sample_id: "train/1/a/1",
        group_id: "train/1/a",
        token_ids: [1, 2, 11, 11, 11],
        loss_mask: [0, 0, 1, 0, 1],
        rollout_logprob: [0, 0, -0.5, 0, -0.25],
        advantage: -0.5,
        temperature: 1,
        reward: 0,
        truncated: 0
      }
    ])
  })

  it("hold groups without variance too where a KL term moves them, but not what truncation masks", () => {
    const manifest = manifestOf({ loss: { kl_coef: 0.1 } }, { truncated: "mask" })
    assert.deepStrictEqual(
      updateRows(manifest, weighed(manifest, [flat])).map((row) => [row.sample_id, row.advantage]),
      [["train/1/b/0", 0]]
    )
  })
})

describe("the denominator", () => {
  it.each([
    ["tokens", 2 + 3 + 1 + (1 + 4)],
    ["sequences", 3 + 2],
    ["constant", (3 + 2) * 10]
  ] as const)("%s counts all completions of groups that are not dropped, sent or not", (normaliser, expected) => {
    const manifest = manifestOf({ normaliser })
    assert.strictEqual(denominator(manifest, weighed(manifest, [mixed, flat, lost])), expected)
  })

  it("is never zero", () => {
    const manifest = manifestOf({})
    assert.strictEqual(denominator(manifest, weighed(manifest, [lost])), 1)
  })
})

describe("a step's groups", () => {
  it("are split over updates in order, sizes differing by at most one", () => {
    assert.deepStrictEqual(splitGroups([1, 2, 3, 4, 5], 2), [
      [1, 2, 3],
      [4, 5]
    ])
    assert.deepStrictEqual(splitGroups([1, 2], 3).flat(), [1, 2])
    assert.strictEqual(splitGroups([1, 2], 3).length, 3)
  })

  it("take each other's rewards in the shuffled control, over the whole batch, and nothing is lost", () => {
    const groups = Array.from({ length: 20 }, (_, g) =>
      groupOf(
        `q${g}`,
        Array.from({ length: 4 }, () => ({ value: g < 10 ? 1 : 0, logprobs: [-1] }))
      )
    )
    const values = weighed(manifestOf({}, { control: "shuffled" }), groups).map((group) => group.values)
    assert.strictEqual(values.flat().filter((value) => value === 1).length, 40)
    assert.isTrue(values.some((own) => new Set(own).size === 2))
  })

  it("are summed up in metrics by hand", () => {
    const manifest = manifestOf({})
    const metrics = generationMetrics(weighed(manifest, [mixed, flat, lost]))
    assert.strictEqual(metrics["reward"], 4 / 5)
    assert.strictEqual(metrics["frac_reward_zero_std"], 1 / 3)
    assert.strictEqual(metrics["completions/mean_length"], 13 / 7)
    assert.strictEqual(metrics["completions/clipped_ratio"], 1 / 7)
    assert.strictEqual(metrics["tokens/nonfinite_logprobs"], 1)
    assert.deepStrictEqual([metrics["unscored"], metrics["dropped_groups"], metrics["failed"]], [2, 1, 0])
  })
})
