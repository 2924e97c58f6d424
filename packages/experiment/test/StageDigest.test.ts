import { assert, describe, it } from "@effect/vitest"
import { Manifest, type ManifestSpec } from "@gradus/domain/manifest/Manifest"
import { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import * as Schema from "effect/Schema"
import { profileDigest, warmupDigest, warmupDigestOf } from "../src/StageDigest.ts"

const manifestOf = (changed: Partial<ManifestSpec> = {}): Manifest =>
  Schema.decodeSync(Manifest)({
    version: 1,
    name: "stages",
    questions: { kind: "sorting" },
    prompt: { template: "{question}", mode: { on: "", off: "" } },
    policy: { kind: "huggingface", path: "policy" },
    sampling: { max_tokens: 10 },
    warmup: { steps: 1, examples_per_step: 1, learning_rate: { peak: 1 } },
    train: { prompts_per_step: 2, samples_per_prompt: 3, learning_rate: { peak: 1 } },
    ...changed
  })

const digests = (changed?: Partial<ManifestSpec>, dataset = "d", weights = "w") => ({
  warmup: warmupDigest(manifestOf(changed), dataset),
  profile: profileDigest(manifestOf(changed), dataset, weights)
})

const service = (url: string) => ({ kind: "service", url, token: { env: "TOKEN" } }) as const

describe("a stage's identity", () => {
  it("is shared by runs that differ only in what comes after it", () => {
    const later = {
      name: "other",
      description: "another run",
      filter: { drop_at: 0.5 },
      curriculum: { batcher: "uniform" },
      train: { prompts_per_step: 9, samples_per_prompt: 8, learning_rate: { peak: 2 } },
      evaluate: { samples: 7 }
    } as const
    assert.deepStrictEqual(digests(later), digests())
  })

  it("does not know where a trainer is, but how it computes", () => {
    assert.deepStrictEqual(digests({ trainer: service("http://a") }), digests({ trainer: service("http://b") }))
    const chunks = digests({ trainer: { kind: "embedded", chunk_prompts: 8 } })
    assert.notStrictEqual(chunks.warmup, digests().warmup)
    assert.notStrictEqual(chunks.profile, digests().profile)
  })

  it("of the profile covers policy, questions, sampling and reward, and is the same in the shuffled control", () => {
    const profiles = [
      digests(),
      digests({}, "other questions"),
      digests({}, "d", "other weights"),
      digests({ seed: 1 }),
      digests({ sampling: { max_tokens: 11 } }),
      digests({ rewards: { accuracy: "numeric" } }),
      digests({ profile: { samples: 16 } })
    ].map(({ profile }) => profile)
    assert.strictEqual(new Set(profiles).size, profiles.length)
    assert.strictEqual(digests({ rewards: { control: "shuffled" } }).profile, digests().profile)
  })

  it("of the profile knows what decides a judge's verdicts, not where it is, what it costs and how it is asked and checked", () => {
    const judged = (more: object = {}) => {
      const judge = { endpoint: "http://a/v1", model: "j", panel: [{ endpoint: "http://p", model: "k" }], ...more }
      return digests({ rewards: { accuracy: "judge", judge } as NonNullable<ManifestSpec["rewards"]> }).profile
    }
    const base = judged()
    const same = {
      endpoint: "http://b/v1",
      api_key: { env: "KEY" },
      replicas: ["http://c"],
      panel: [{ endpoint: "http://q", model: "k", api_key: { env: "KEY" } }],
      concurrency: 3,
      deadline: 5,
      attempts: 9,
      requests_per_minute: 10,
      tokens_per_minute: 10,
      budget: 4,
      account: "other",
      spent: "pause",
      prices: { j: { prompt: 1, completion: 1 }, k: { prompt: 1, completion: 1 } },
      breaker: { failures: 1, open_seconds: 1 },
      outage: "wait",
      patience: 1,
      calibration: { file: "c.jsonl", every: 3 }
    }
    for (const [key, value] of Object.entries(same)) assert.strictEqual(judged({ [key]: value }), base, key)
    const other = {
      model: "i",
      panel: [],
      temperature: 1,
      max_tokens: 16,
      verdict: "json_last",
      truth: "number",
      structured: "never",
      answer_characters: 9,
      swap: true,
      repeats: 2
    }
    const changed = Object.entries(other).map(([key, value]) => judged({ [key]: value }))
    assert.strictEqual(new Set([base, ...changed]).size, changed.length + 1)
    // every key of a judge is one or the other
    const keys = [...Object.keys(same), ...Object.keys(other)]
    assert.sameMembers([...new Set(keys)], Object.keys(JudgeSpec.fields))
  })

  it("of a warm-up that starts from files covers what is in them, and is as it was where there are none", () => {
    const { warmup } = digests()
    const kept = [undefined, "a", "b"].map((content) => warmupDigestOf(warmup, content))
    assert.strictEqual(kept[0], warmup)
    assert.strictEqual(new Set(kept).size, 3)
  })

  it("of the warm-up covers its settings and its start, not the reward", () => {
    const longer = { steps: 2, examples_per_step: 1, learning_rate: { peak: 1 } }
    assert.notStrictEqual(digests({ warmup: longer }).warmup, digests().warmup)
    assert.notStrictEqual(digests({ policy: { kind: "gguf", path: "policy" } }).warmup, digests().warmup)
    assert.strictEqual(digests({ rewards: { accuracy: "numeric" } }).warmup, digests().warmup)
  })
})
