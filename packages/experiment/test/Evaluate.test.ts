import { assert, describe, it } from "@effect/vitest"
import type { RolloutRow } from "@gradus/domain/RunRecord"
import { evaluationMetrics, reading } from "../src/Evaluate.ts"

const rowOf = (level: string | null, value: number | null, format: number | null = 1): RolloutRow => ({
  sample_id: "s",
  question_id: "q",
  step: 3,
  k: 0,
  thinking: "on",
  level,
  domain: null,
  question: "q",
  gold: "g",
  text: "t",
  answer: null,
  finish_reason: "stop",
  length: 1,
  logprob: null,
  value,
  accuracy: value,
  format,
  unscored: value === null ? "judge_failed" : null,
  advantage: null,
  policy_version: 3
})

describe("a reading", () => {
  it("is the mean value of what was scored, overall and by level; what was not scored is counted, not averaged", () => {
    const rows = [rowOf("easy", 1), rowOf("easy", null), rowOf("hard", 0, 0), rowOf("hard", 1), rowOf(null, 0)]
    assert.deepStrictEqual(reading("heldout", 3, rows), {
      set: "heldout",
      step: 3,
      accuracy: 2 / 4,
      format: 4 / 5,
      samples: 5,
      unscored: 1,
      by_level: [
        { level: "easy", accuracy: 1, samples: 2 },
        { level: "hard", accuracy: 1 / 2, samples: 2 },
        { level: "", accuracy: 0, samples: 1 }
      ]
    })
  })

  it("says null, not 0, where nothing was scored", () => {
    const { accuracy, unscored } = reading("heldout", 0, [rowOf("easy", null)])
    assert.deepStrictEqual([accuracy, unscored], [null, 1])
    assert.isNull(reading("heldout", 0, []).accuracy)
  })

  it("becomes metrics by its set", () => {
    assert.deepStrictEqual(evaluationMetrics([reading("hard", 0, [rowOf("x", 1, null)])]), {
      "eval/hard/accuracy": 1,
      "eval/hard/format": null,
      "eval/hard/unscored": 0
    })
  })
})
