/** The charts that pages and notebooks draw one by one, outside of the report: golden specs that also compile, drawings with their marks, and what they say of a record. */
import { assert, describe, expect, it } from "@effect/vitest"
import { table } from "arquero"
import * as Effect from "effect/Effect"
import { readdirSync } from "node:fs"
import type { TopLevelSpec } from "vega-lite"
import { curriculumStep } from "../../src/charts/curriculumStep.ts"
import { judgeAgainstRule } from "../../src/charts/judge/judgeAgainstRule.ts"
import { judgeVerdicts } from "../../src/charts/judge/judgeVerdicts.ts"
import { rewardOfRuns } from "../../src/charts/rewardOfRuns.ts"
import { toSvg } from "../../src/Render.ts"
import { judgeAgreement } from "../../src/verbs/judgeAgreement.ts"
import { drawn, warningsOf } from "../drawing.ts"
import { quickstartRecord } from "../quickstartRecord.ts"

interface Layered {
  readonly layer: ReadonlyArray<{
    readonly data: { readonly values: ReadonlyArray<{ readonly rate: number; readonly share: number }> }
  }>
}

const record = quickstartRecord()
const other = quickstartRecord({
  run: "quickstart--other",
  metrics: record.metrics.map((row) => ({
    ...row,
    metrics: { ...row.metrics, reward: (row.metrics["reward"] ?? 0) / 2 }
  }))
})

/** Ten verdicts a step over six steps: the judge says yes to one more each step, the rule calls three right, whatever the judge says. */
const verdicts = table({
  step: Array.from({ length: 60 }, (_, i) => 1 + Math.floor(i / 10)),
  verdict: Array.from({ length: 60 }, (_, i) => (i % 10 < 3 + Math.floor(i / 10) ? "yes" : "no")),
  rule: Array.from({ length: 60 }, (_, i) => (i % 10 < 3 ? "right" : "wrong"))
})

const judged = [1, 2, 3, 4].map((step) => ({
  format: 1 as const,
  stage: "train" as const,
  step,
  metrics: { "judge/yes": 5 + step, "judge/no": 9 - step, "judge/unreadable": step % 2, "judge/failed": 0 }
}))

/** Each with a spec that has something to draw, one that has not, and the marks of its drawing. */
const charts: Readonly<Record<string, readonly [TopLevelSpec | null, TopLevelSpec | null, Record<string, number>]>> = {
  // Six kept levels, three of them in the batch, the target over all six.
  "curriculum-step": [curriculumStep(record, 12), curriculumStep(record, 26), { rect: 6 + 3, line: 1, symbol: 6 }],
  // A line of 25 steps a run.
  "reward-of-runs": [
    rewardOfRuns([record, other]),
    rewardOfRuns([{ ...record, metrics: [] }]),
    { line: 2, symbol: 50 }
  ],
  // Judge and rule at each of six steps.
  "judge-against-rule": [
    judgeAgainstRule(judgeAgreement("step")(verdicts)),
    judgeAgainstRule(judgeAgreement("step")(verdicts.filter("d => d.verdict == 'failed'"))),
    { line: 2, symbol: 12 }
  ],
  // Four words at each of four steps.
  "judge-verdicts": [
    judgeVerdicts.spec(quickstartRecord({ metrics: judged })),
    judgeVerdicts.spec(quickstartRecord({ metrics: [] })),
    { rect: 16 }
  ]
}

describe("charts drawn one by one", () => {
  it("have a golden spec each, and no golden spec is left over", () =>
    assert.deepStrictEqual(
      readdirSync(new URL("golden", import.meta.url)).toSorted(),
      Object.keys(charts)
        .map((name) => `${name}.vl.json`)
        .toSorted()
    ))

  for (const [name, [spec, nothing, marks]] of Object.entries(charts)) {
    it(`${name} equals its golden spec and compiles without a warning`, async () => {
      assert.isNotNull(spec)
      await expect(`${JSON.stringify(spec, null, 1)}\n`).toMatchFileSnapshot(`golden/${name}.vl.json`)
      assert.deepStrictEqual(warningsOf(spec as TopLevelSpec), [])
    })

    it.effect(`${name} draws its marks`, () =>
      Effect.gen(function* () {
        const svg = yield* toSvg(spec as TopLevelSpec)
        assert.deepStrictEqual(Object.fromEntries(Object.keys(marks).map((mark) => [mark, drawn(svg, mark)])), marks)
        assert.notMatch(svg, /NaN|undefined|Infinity/)
      })
    )

    it(`${name} is not there where there is nothing to draw`, () => assert.isNull(nothing))
  }
})

describe("the chart of one step of the curriculum", () => {
  it("has shares of pool, batch and target that are whole, the target highest at its centre", () => {
    const spec = curriculumStep(record, 1)
    assert.isNotNull(spec)
    // of the many forms of a spec this chart has the layered one
    const [pool, batch, target] = (spec as unknown as Layered).layer.map(({ data }) => data.values)
    for (const shares of [pool, batch, target])
      assert.closeTo(
        (shares ?? []).reduce((sum, { share }) => sum + share, 0),
        1,
        1e-12
      )
    const best = (target ?? []).toSorted((a, b) => b.share - a.share)[0]
    assert.strictEqual(best?.rate, 0.625)
    assert.isTrue((pool ?? []).every(({ rate }) => rate < 0.75))
  })

  it("is not there without a profile", () => assert.isNull(curriculumStep({ ...record, profile: [] }, 1)))
})

describe("the chart of several runs", () => {
  it("names each of them", () => assert.include(JSON.stringify(rewardOfRuns([record, other])), '"quickstart--other"'))
})
