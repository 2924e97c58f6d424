/** The charts: golden specs that also compile without a warning, and drawings that really hold marks. */
import { assert, describe, expect, it } from "@effect/vitest"
import { readdirSync } from "node:fs"
import * as Effect from "effect/Effect"
import type { TopLevelSpec } from "vega-lite"
import type { Chart } from "../src/Chart.ts"
import { charts } from "../src/Charts.ts"
import { lengthsKept } from "../src/charts/lengthsKept.ts"
import { toSvg } from "../src/Render.ts"
import { quickstartRecord } from "./quickstartRecord.ts"
import { drawn, warningsOf } from "./drawing.ts"

const record = quickstartRecord()

const specOf = (chart: Chart, of = record): TopLevelSpec => {
  const spec = chart.spec(of)
  assert.isNotNull(spec, `${chart.name} has nothing to draw`)
  return spec as TopLevelSpec
}

/** Coordinates of a path, to see that a line passes through all its points. */
const corners = (svg: string): number =>
  [...svg.matchAll(/<g class="mark-line role-mark[^"]*"[^>]*>(.*?)<\/g>/gs)]
    .map(([, inside]) => inside?.match(/[ML]-?[\d.]+,-?[\d.]+/g)?.length ?? 0)
    .reduce((sum, count) => sum + count, 0)

/** What the fixture must show: number of marks by type. */
const marks: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  // Six readings with intervals; two sets and the reward as lines; 6 + 25 points.
  "learning-curve": { line: 3, symbol: 6 + 25, rule: 6 },
  // Ten levels of heldout, two of hard.
  "accuracy-by-level": { rule: 12, symbol: 24 },
  // Nine levels with their counts; the cut and its label.
  profile: { rect: 9, text: 10, rule: 1 },
  "target-achieved": { line: 3, symbol: 75 },
  // Kept levels 0/8 to 5/8.
  "pool-depletion": { area: 6 },
  // Three bands of kept questions over 25 windows of one step: 44 windows in which a band is drawn.
  "starting-level": { line: 3, symbol: 44 },
  "reward-parts": { line: 3, symbol: 75 },
  "zero-variance": { line: 1, symbol: 25 },
  lengths: { line: 2, symbol: 50 },
  // Bins of half a token: 18 to 26 of the kept questions, 17 to 23.5 of the dropped ones.
  "lengths-kept": { rect: 16 + 13 },
  // agreement, two errors and drift at five readings; the judge's yes and the rule's right at each step
  "judge-agreement": { line: 1 + 3 + 2, symbol: 5 + 15 + 50 },
  // cost; prompts and replies; three kinds of no judgement
  "judge-cost": { line: 1 + 2 + 3, symbol: 25 + 50 + 75 },
  optimisation: { line: 3, symbol: 75 },
  "sampler-gap": { line: 4, symbol: 100 },
  // 25 steps of generate, update, score, record and other.
  times: { rect: 125 },
  warmup: { line: 2, symbol: 80 }
}

describe("charts", () => {
  it("have a golden spec each, and no golden spec is left over", () =>
    assert.deepStrictEqual(
      readdirSync(new URL("golden", import.meta.url)).toSorted(),
      charts.map(({ name }) => `${name}.vl.json`).toSorted()
    ))

  for (const chart of charts) {
    it(`${chart.name} equals its golden spec`, async () => {
      const json = `${JSON.stringify(specOf(chart), null, 1)}\n`
      await expect(json).toMatchFileSnapshot(`golden/${chart.name}.vl.json`)
    })

    it(`${chart.name} compiles without a warning`, () => assert.deepStrictEqual(warningsOf(specOf(chart)), []))

    it.effect(`${chart.name} draws its marks`, () =>
      Effect.gen(function* () {
        const svg = yield* toSvg(specOf(chart))
        const expected = marks[chart.name] ?? {}
        assert.isNotEmpty(expected)
        assert.deepStrictEqual(Object.fromEntries(Object.keys(expected).map((mark) => [mark, drawn(svg, mark)])), {
          ...expected
        })
        assert.notMatch(svg, /NaN|undefined|Infinity/)
      })
    )

    it(`${chart.name} has nothing to draw for a run that has not begun`, () =>
      assert.isNull(
        chart.spec(
          quickstartRecord({
            metrics: [],
            timings: [],
            plan: [],
            profile: [],
            evaluation: [],
            examples: [],
            history: []
          })
        )
      ))

    it.effect(`${chart.name} copes with metrics that are all null`, () =>
      Effect.gen(function* () {
        const spec = chart.spec(
          quickstartRecord({
            metrics: record.metrics.map((row) => ({
              ...row,
              metrics: Object.fromEntries(Object.keys(row.metrics).map((name) => [name, null]))
            })),
            evaluation: record.evaluation.map((reading) => ({
              ...reading,
              accuracy: null,
              by_level: reading.by_level.map((level) => ({ ...level, accuracy: null }))
            }))
          })
        )
        if (spec === null) return
        assert.deepStrictEqual(warningsOf(spec), [])
        assert.notMatch(yield* toSvg(spec), /NaN|undefined|Infinity/)
      })
    )
  }

  it.effect("a line passes through every value and breaks at a null", () =>
    Effect.gen(function* () {
      const zeroVariance = charts.find(({ name }) => name === "zero-variance") as Chart
      const broken = quickstartRecord({
        metrics: record.metrics.map((row) =>
          row.step === 9 ? { ...row, metrics: { ...row.metrics, frac_reward_zero_std: null } } : row
        )
      })
      const whole = yield* toSvg(specOf(zeroVariance))
      const gap = yield* toSvg(specOf(zeroVariance, broken))
      assert.strictEqual(corners(whole), 25)
      assert.strictEqual(corners(gap), 24)
      assert.strictEqual(
        gap.match(/<g class="mark-line role-mark[^>]*><path[^>]*d="([^"]*)"/)?.[1]?.match(/M/g)?.length,
        2
      )
      assert.notMatch(gap, /NaN|undefined/)
    })
  )

  it("leave out panels and series without a value and keep the others", () => {
    const entropyOnly = quickstartRecord({
      metrics: [1, 2].map((step) => ({ format: 1, stage: "train", step, metrics: { entropy: 0.5, loss: null } }))
    })
    const panels = (name: string) => {
      const spec = charts.find((chart) => chart.name === name)?.spec(entropyOnly)
      return spec === null || spec === undefined ? null : JSON.stringify(spec)
    }
    assert.include(panels("optimisation") ?? "", "entropy (nats a token)")
    assert.notInclude(panels("optimisation") ?? "", "gradient norm")
    assert.isNull(panels("reward-parts"))
  })

  it.effect("show names as text, whatever is in them", () =>
    Effect.gen(function* () {
      const hostile = "</text><script>alert(1)</script>"
      const svg = yield* toSvg(
        specOf(
          charts[0] as Chart,
          quickstartRecord({ evaluation: record.evaluation.map((reading) => ({ ...reading, set: hostile })) })
        )
      )
      assert.notInclude(svg, "<script")
      assert.include(svg, "&lt;script")
    })
  )
})

it("draws the lengths of more questions than a call has room for arguments", () => {
  const [row] = record.profile
  assert.isDefined(row)
  const profile = Array.from({ length: 200_000 }, (_, i) => ({
    ...row,
    question_id: `q${i}`,
    mean_tokens: 10 + (i % 90)
  }))
  assert.isNotNull(lengthsKept.spec({ ...record, profile }))
})
