import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { predict } from "../src/Prediction.ts"
import { Cluster, SimulationSettings } from "../src/SimulationSettings.ts"

const asked = {
  profile: 800,
  evaluate: 200,
  steps: [
    { completions: 100, trained: 60 },
    { completions: 100, trained: 20 }
  ]
}
const lengths = { completion_tokens: 50, prompt_tokens: 10 }

describe("the prediction of a run", () => {
  it("is completions times lengths, where no cluster is stated", () =>
    assert.deepStrictEqual(predict(asked, lengths, undefined), {
      completions: { profile: 800, train: 200, evaluate: 200 },
      tokens: { generated: 1200 * 50, trained: 80 * 60 },
      cost: null
    }))

  it("is tokens over the rates of a cluster, with overhead for steps alone", () => {
    const cluster = {
      gpus: 4,
      generate_tokens_per_gpu_second: 25,
      train_tokens_per_gpu_second: 12,
      overhead_seconds: 30
    }
    const { cost } = predict(asked, lengths, cluster)
    // 10,000 + 50,000 tokens generated at 100 a second, 4,800 trained at 48 a second, two steps
    assert.closeTo(cost?.train.seconds ?? NaN, 100 + 100 + 60, 1e-9)
    assert.closeTo(cost?.seconds ?? NaN, 260 + 500, 1e-9)
    assert.closeTo(cost?.gpu_hours ?? NaN, (760 * 4) / 3600, 1e-12)
    assert.closeTo(cost?.generating_share ?? NaN, 600 / 760, 1e-12)
  })
})

describe("settings", () => {
  it("of a policy have a default each, those of a cluster but its overhead have none", () => {
    assert.strictEqual(Schema.decodeSync(SimulationSettings)({}).gain, 0.5)
    assert.throws(() => Schema.decodeUnknownSync(Cluster)({ gpus: 8 }), "generate_tokens_per_gpu_second")
    const rates = { gpus: 8, generate_tokens_per_gpu_second: 1, train_tokens_per_gpu_second: 1 }
    assert.strictEqual(Schema.decodeSync(Cluster)(rates).overhead_seconds, 0)
  })
})
