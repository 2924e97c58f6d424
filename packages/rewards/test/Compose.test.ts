import { assert, describe, it } from "@effect/vitest"
import type { Score, ScoreRequest } from "@gradus/domain/Score"
import { componentMetrics } from "../src/ComponentMetrics.ts"
import { compose, overlongPunishment } from "../src/Compose.ts"
import { needsNoJudge, scoreWithRules } from "../src/Score.ts"
import { rewards } from "./Rules.ts"

describe("compose", () => {
  const parts = { accuracy: 1, format: 0.5 }
  it("multiplies, adds with weights, or gates", () => {
    assert.strictEqual(compose(rewards(), parts, false).value, 0.5)
    assert.strictEqual(compose(rewards({ compose: "sum" }), parts, false).value, 1.5)
    assert.strictEqual(
      compose(rewards({ compose: "sum", weights: { accuracy: 0.75, format: 0.5 } }), parts, false).value,
      1
    )
    assert.strictEqual(compose(rewards({ compose: "gate" }), parts, false).value, 0)
    assert.strictEqual(compose(rewards({ compose: "gate" }), { accuracy: 0.25, format: 1 }, false).value, 0.25)
  })

  it("takes what is not measured as a factor of 1 and a summand of 0", () => {
    assert.strictEqual(compose(rewards(), { accuracy: 0.5 }, false).value, 0.5)
    assert.strictEqual(compose(rewards({ compose: "sum" }), { accuracy: 0.5 }, false).value, 0.5)
    assert.strictEqual(compose(rewards({ compose: "gate" }), { accuracy: 0.5 }, false).value, 0.5)
    assert.strictEqual(compose(rewards({ compose: "gate" }), { format: 1 }, false).value, 1)
  })

  it("gives a cut completion 0, but under soft its value with the punishment", () => {
    const soft = { truncated: "soft", overlong: { max_tokens: 100, buffer: 20 } } as const
    for (const truncated of ["zero", "mask"] as const) {
      assert.strictEqual(compose(rewards({ truncated }), parts, true).value, 0)
    }
    assert.strictEqual(compose(rewards(soft), { ...parts, overlong: -1 }, true).value, -0.5)
    assert.deepStrictEqual(compose(rewards(soft), { overlong: -1 }, true, "judge_failed"), {
      value: null,
      unscored: "judge_failed"
    })
  })
})

describe("overlongPunishment", () => {
  // DAPO's own numbers: 16,384 tokens expected and 4,096 more as the buffer.
  const dapo = { max_tokens: 20_480, buffer: 4_096, weight: 1 }
  it.each([
    [0, 0],
    [16_384, 0],
    [16_385, -1 / 4_096],
    [18_432, -0.5],
    [20_480, -1],
    [20_481, -1]
  ])("of %d tokens is %d", (tokens, punishment) => {
    assert.strictEqual(overlongPunishment(dapo, tokens), punishment)
    assert.strictEqual(overlongPunishment({ ...dapo, weight: 0.5 }, tokens), punishment / 2)
  })

  it("is a part of the score", () => {
    const spec = rewards({ truncated: "soft", overlong: { max_tokens: 100, buffer: 20 }, format: "none" })
    const request: ScoreRequest = { id: "a", gold: "x", completion: "x", thinking: "off", tokens: 90 }
    if (!needsNoJudge(spec)) throw new Error("these rewards ask no judge")
    assert.deepStrictEqual(scoreWithRules(spec, request), {
      value: 0.5,
      answer: "x",
      components: { accuracy: 1, overlong: -0.5 }
    })
    const { tokens: _, ...uncounted } = request
    assert.strictEqual(scoreWithRules(spec, uncounted).value, 1)
    assert.strictEqual(scoreWithRules(spec, { ...uncounted, truncated: true }).value, 0)
  })
})

describe("componentMetrics", () => {
  const score = (components: Score["components"]): Score => ({ value: 0, answer: null, components })
  it("gives mean and ddof-1 standard deviation of each part over the scores that have it", () => {
    assert.deepStrictEqual(
      componentMetrics([
        score({ accuracy: 1, format: 1 }),
        score({ accuracy: 0, format: 1 }),
        score({ format: 1 }),
        score({ accuracy: 0.5, format: 1 })
      ]),
      {
        "rewards/accuracy/mean": 0.5,
        "rewards/accuracy/std": 0.5,
        "rewards/format/mean": 1,
        "rewards/format/std": 0
      }
    )
    assert.deepStrictEqual(componentMetrics([score({ overlong: -0.5 })]), {
      "rewards/overlong/mean": -0.5,
      "rewards/overlong/std": null
    })
    assert.deepStrictEqual(componentMetrics([]), {})
  })
})
