/** The charts of plans: golden specs that also compile without a warning, and drawings that really hold marks. */
import { assert, describe, expect, it } from "@effect/vitest"
import { readdirSync } from "node:fs"
import * as Effect from "effect/Effect"
import type { TopLevelSpec } from "vega-lite"
import { table } from "arquero"
import { planCharts, planFigures } from "../../src/PlanCharts.ts"
import { toPng } from "../../src/Render.ts"
import { planWindows, windowOf } from "../../src/verbs/planWindows.ts"
import { emptyReport, gaussianReport, uniformReport } from "./planFixture.ts"
import { drawn, warningsOf } from "../drawing.ts"

const reports = [gaussianReport(), uniformReport()]

/** Marks that the fixture must show: 12 batches, six levels, two curricula of which one has a target. */
const marks: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "plan-target": { line: 3, symbol: 36 },
  "plan-composition": { rect: 72, line: 1 },
  "plan-depletion": { area: 6 },
  "plan-distance": { line: 2, symbol: 24 },
  "plan-comparison": { line: 3, symbol: 36 }
}

describe("charts of plans", () => {
  it("have a golden spec each, and no golden spec is left over", () =>
    assert.deepStrictEqual(
      readdirSync(new URL("golden", import.meta.url)).toSorted(),
      planCharts.map(({ name }) => `${name}.vl.json`).toSorted()
    ))

  for (const chart of planCharts) {
    it(`${chart.name} equals its golden spec`, async () => {
      await expect(`${JSON.stringify(chart.spec(reports), null, 1)}\n`).toMatchFileSnapshot(
        `golden/${chart.name}.vl.json`
      )
    })

    it(`${chart.name} compiles without a warning, has nothing to draw of an empty plan, and copes with one that has no target`, () => {
      assert.deepStrictEqual(warningsOf(chart.spec(reports) as TopLevelSpec), [])
      assert.isNull(chart.spec([]))
      assert.isNull(chart.spec([emptyReport, emptyReport]))
      const spec = chart.spec([uniformReport(), uniformReport()])
      if (spec !== null) assert.deepStrictEqual(warningsOf(spec), [])
    })
  }

  it.effect("are drawn with their marks, and as pictures", () =>
    Effect.gen(function* () {
      const figures = yield* planFigures(reports)
      assert.deepStrictEqual(
        figures.map(({ name }) => name),
        planCharts.map(({ name }) => name)
      )
      for (const { name, svg } of figures) {
        const expected = marks[name] ?? {}
        assert.deepStrictEqual(
          Object.fromEntries(Object.keys(expected).map((mark) => [mark, drawn(svg, mark)])),
          expected,
          name
        )
        assert.notMatch(svg, /NaN|undefined|Infinity/u)
        const png = yield* toPng(svg, { scale: 1 })
        assert.strictEqual(String.fromCharCode(...png.subarray(1, 4)), "PNG")
      }
    })
  )

  it("leave the comparison out where there is one plan", () =>
    assert.isNull(planCharts.find(({ name }) => name === "plan-comparison")?.spec([gaussianReport()]) ?? null))
})

describe("planWindows", () => {
  it("adds batches of a window up and takes what is left at its end", () => {
    const draws = table({
      batch: [1, 1, 2, 2, 3, 3],
      rate: [0, 0.5, 0, 0.5, 0, 0.5],
      drawn: [1, 3, 2, 2, 4, 0],
      left: [9, 2, 7, 0, 3, 0]
    })
    assert.deepStrictEqual(
      planWindows(2)(draws)
        .objects()
        .map((row) => Object.values(row)),
      [
        [1, 2, 0, 3, 3 / 8, 7],
        [1, 2, 0.5, 5, 5 / 8, 0],
        [3, 3, 0, 4, 1, 3],
        [3, 3, 0.5, 0, 0, 0]
      ]
    )
  })
  it("keeps a figure to columns that can be seen", () => {
    assert.deepStrictEqual([windowOf(0), windowOf(120), windowOf(121), windowOf(31_250)], [1, 1, 2, 261])
  })
})
