import { assert, describe, it } from "@effect/vitest"
import { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import * as Schema from "effect/Schema"
import {
  changedFields,
  identityOf,
  type ProfileRules,
  type ProfileSampling
} from "../../src/profiler/ProfileIdentity.ts"

const rewards = (judge: object = {}) =>
  Schema.decodeUnknownSync(RewardsSpec)({
    accuracy: "judge",
    judge: { endpoint: "http://judge/v1", model: "j", api_key: { env: "KEY" }, ...judge }
  })
const questions = [{ question_id: "a", question: "1 + 1?", gold: "2", thinking: "off" }] as const
const sampling: ProfileSampling = { api: "chat", model: "m", temperature: 1, max_tokens: 64, samples: 8 }
const rules = (more: Partial<ProfileRules> = {}): ProfileRules => ({
  rewards: rewards(),
  pass_mark: 1,
  credible_level: 0.9,
  ...more
})
const base = identityOf(questions, sampling, rules())
const digestOf = (more: Partial<ProfileSampling>) => identityOf(questions, { ...sampling, ...more }, rules()).digest

describe("a profile's identity", () => {
  it("is another for other questions, another model, sampling, rule or number of samples", () => {
    const others = [
      identityOf([{ ...questions[0], gold: "3" }], sampling, rules()).digest,
      identityOf([{ ...questions[0], question: "1+1?" }], sampling, rules()).digest,
      digestOf({ model: "n" }),
      digestOf({ temperature: 0.9 }),
      digestOf({ max_tokens: 65 }),
      digestOf({ samples: 16 }),
      digestOf({ system: "" }),
      digestOf({ seed: 0 }),
      digestOf({ api: "completions" }),
      identityOf(questions, sampling, rules({ rewards: rewards({ model: "k" }) })).digest,
      identityOf(questions, sampling, rules({ pass_mark: 0.5 })).digest,
      identityOf(questions, sampling, rules({ early: { drop_at: 0.75, samples: 8, certainty: 0.9 } })).digest
    ]
    assert.strictEqual(new Set([base.digest, ...others]).size, others.length + 1)
  })

  it("is the same wherever the judge is, whoever pays and however many calls there are at once", () => {
    const elsewhere = rewards({
      endpoint: "http://other/v1",
      api_key: { env: "OTHER" },
      concurrency: 3,
      replicas: ["http://r"]
    })
    assert.strictEqual(identityOf(questions, sampling, rules({ rewards: elsewhere })).digest, base.digest)
    assert.strictEqual(digestOf({ system: undefined, seed: undefined }), base.digest)
  })

  it("says which fields differ, by their path", () => {
    const other = identityOf(questions, { ...sampling, model: "n" }, rules({ rewards: rewards({ temperature: 0.5 }) }))
    assert.deepStrictEqual(changedFields(base.identity, other.identity), [
      { field: "model", stored: "m", asked: "n" },
      { field: "rewards.judge.temperature", stored: "0", asked: "0.5" }
    ])
    assert.deepStrictEqual(changedFields(base.identity, base.identity), [])
  })
})
