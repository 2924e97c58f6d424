/** The verbs of a judge's verdicts: literal tables in, literal rows out. */
import { assert, describe, it } from "@effect/vitest"
import { table } from "arquero"
import { rowsOf } from "../../src/Tables.ts"
import { judgeAgreement } from "../../src/verbs/judgeAgreement.ts"
import { verdictCounts } from "../../src/verbs/verdictCounts.ts"

const said = (step: number, verdict: string, rule: string | null, cost: number | null = null, cached = false) => ({
  step,
  verdict,
  rule,
  cost,
  cached,
  prompt_tokens: 10,
  completion_tokens: 2,
  ms: 4 * step
})
const rows = [
  said(1, "yes", "right", 0.5),
  said(1, "yes", "wrong", 0.5, true),
  said(1, "no", "wrong"),
  said(1, "unreadable", "right"),
  said(2, "no", "right"),
  said(2, "yes", null),
  said(2, "yes", "right"),
  said(3, "failed", "right")
]
const verdicts = table(
  Object.fromEntries(Object.keys(rows[0] ?? {}).map((name) => [name, rows.map((row) => Object(row)[name])]))
)

describe("verdictCounts", () => {
  it("counts each word with its share, what was known, tokens and money", () =>
    assert.deepStrictEqual(rowsOf(verdictCounts(verdicts)), [
      { verdict: "yes", completions: 4, share: 0.5, cached: 1, tokens: 48, cost: 1, mean_ms: 6 },
      { verdict: "no", completions: 2, share: 0.25, cached: 0, tokens: 24, cost: null, mean_ms: 6 },
      { verdict: "failed", completions: 1, share: 0.125, cached: 0, tokens: 12, cost: null, mean_ms: 12 },
      { verdict: "unreadable", completions: 1, share: 0.125, cached: 0, tokens: 12, cost: null, mean_ms: 4 }
    ]))
})

describe("judgeAgreement", () => {
  it("compares what was read and could be graded, and bounds the share that agrees", () => {
    const [first, second, ...more] = rowsOf<Record<string, number | null>>(judgeAgreement("step")(verdicts))
    const { high, low, ...counted } = first ?? {}
    assert.deepStrictEqual(counted, {
      step: 1,
      compared: 3,
      agreement: 2 / 3,
      yes: 2 / 3,
      right: 1 / 3,
      false_accepts: 0.5,
      false_rejects: 0
    })
    // Wilson's interval of 2 of 3
    assert.closeTo(low ?? 0, 0.2077, 1e-4)
    assert.closeTo(high ?? 0, 0.9385, 1e-4)
    assert.deepInclude(second, { compared: 2, agreement: 0.5, yes: 0.5, right: 1 })
    assert.deepInclude(second, { false_accepts: null, false_rejects: 0.5 })
    assert.deepStrictEqual(more, [])
  })
})
