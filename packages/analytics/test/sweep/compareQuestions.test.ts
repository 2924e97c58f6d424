/** Runs compared question by question, by hand. */
import { assert, describe, it } from "@effect/vitest"
import { questionDifference, questionSummary } from "../../src/sweep/compareQuestions.ts"

const samples = (rows: Readonly<Record<string, ReadonlyArray<number | null>>>) =>
  Object.entries(rows).flatMap(([question_id, values]) => values.map((value) => ({ question_id, value })))

const first = samples({ a: [1, 0], b: [0, 0], c: [1, 1], gone: [1, 1] })
const second = samples({ a: [1, 1], b: [0, 1], c: [1, null], new: [0, 0] })

describe("runs by question", () => {
  it("have pass@k over their samples and an error that counts questions, not samples", () => {
    const summary = questionSummary(first)
    assert.deepStrictEqual([summary.questions, summary.samples, summary.mean], [4, 8, 5 / 8])
    assert.deepStrictEqual(summary.passAtK, { "1": 5 / 8, "2": 3 / 4 })
    // sums of residuals: -1/4, -5/4, 3/4, 3/4
    assert.closeTo(summary.standardError ?? Number.NaN, Math.sqrt(1 / 16 + 25 / 16 + 9 / 16 + 9 / 16) / 8, 1e-12)
    // c has one scored sample, so it is not in pass@2
    assert.deepStrictEqual(questionSummary(second).passAtK, { "1": (1 + 0.5 + 1 + 0) / 4, "2": (1 + 1 + 0) / 3 })
  })
  it("differ by the questions that both were asked", () => {
    const { better, interval, mean, questions, worse } = questionDifference(first, second)
    assert.deepStrictEqual([questions, better, worse], [3, 2, 0])
    assert.closeTo(mean ?? Number.NaN, 1 / 3, 1e-12)
    const error = Math.sqrt(2 / 36 + 1 / 9) / 3
    assert.closeTo(interval?.high ?? Number.NaN, 1 / 3 + 1.959963984540054 * error, 1e-9)
    assert.isNull(questionDifference(first, []).mean)
  })
})
