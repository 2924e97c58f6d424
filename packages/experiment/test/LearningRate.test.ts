import { assert, describe, it } from "@effect/vitest"
import { learningRate } from "../src/LearningRate.ts"

const spec = (shape: "constant" | "linear" | "cosine", warmup_updates = 4) => ({
  peak: 8,
  warmup_updates,
  shape,
  final_share: 0.25
})
const close = (a: number, b: number) => assert.closeTo(a, b, 1e-12)

describe("the learning rate", () => {
  it("rises in equal parts over the warm-up and is at its peak at its last update", () => {
    assert.deepStrictEqual(
      [1, 2, 3, 4].map((update) => learningRate(spec("constant"), update, 20)),
      [2, 4, 6, 8]
    )
  })
  it("then stays, or falls to its final share at the last update", () => {
    close(learningRate(spec("constant"), 20, 20), 8)
    close(learningRate(spec("linear"), 12, 20), 8 * (1 - 0.75 / 2))
    close(learningRate(spec("linear"), 20, 20), 2)
    close(learningRate(spec("cosine"), 12, 20), (8 + 2) / 2)
    close(learningRate(spec("cosine"), 20, 20), 2)
  })
  it("starts at the peak without a warm-up, and stays finite when there is nothing after it", () => {
    close(learningRate(spec("constant", 0), 1, 1), 8)
    close(learningRate(spec("cosine", 5), 6, 5), 2)
  })
})
