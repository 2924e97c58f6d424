/** The charts of sweeps: golden specs that also compile without a warning, and drawings that really hold marks. */
import { assert, describe, expect, it } from "@effect/vitest"
import { readdirSync } from "node:fs"
import * as Effect from "effect/Effect"
import type { TopLevelSpec } from "vega-lite"
import { toSvg } from "../../src/Render.ts"
import { compareArms } from "../../src/sweep/compareArms.ts"
import { sweepCharts } from "../../src/sweep/SweepCharts.ts"
import type { SweepRecord } from "../../src/sweep/SweepRecord.ts"
import { sweepFixture } from "./sweepFixture.ts"
import { drawn, warningsOf } from "../drawing.ts"

const record = sweepFixture()
const empty = sweepFixture({ cells: [] })
/** One seed an arm: differences, but no intervals and no bands. */
const single = sweepFixture({ cells: record.cells.filter(({ result }) => result.seed === 1) })

const specOf = (name: string, of: SweepRecord): TopLevelSpec | null =>
  sweepCharts.find((chart) => chart.name === name)?.spec(of, compareArms(of)) ?? null

/** Marks of the fixture: four arms, of which three are compared and two of these have intervals (short has two seeds). */
const marks: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  // zero, 2 x 2 intervals; 5 + 5 + 2 seeds and 3 x 2 means
  "sweep-differences": { rule: 5, symbol: 18 },
  // a line an arm, and the baseline behind the three others; short has no band
  "sweep-curves-tokens": { line: 7, area: 6 },
  "sweep-curves-updates": { line: 7, area: 6 },
  "sweep-profiles": { line: 4 },
  // gaussian and strong over six readings with bands; the paper's three windows and its last step, of two orders
  "sweep-figure6": { line: 2, area: 2, rule: 6, symbol: 12 + 2 }
}

describe("charts of sweeps", () => {
  it("have a golden spec each, and no golden spec is left over", () =>
    assert.deepStrictEqual(
      readdirSync(new URL("golden", import.meta.url)).toSorted(),
      sweepCharts.map(({ name }) => `${name}.vl.json`).toSorted()
    ))

  for (const { name } of sweepCharts) {
    it(`${name} equals its golden spec`, async () => {
      await expect(`${JSON.stringify(specOf(name, record), null, 1)}\n`).toMatchFileSnapshot(`golden/${name}.vl.json`)
    })

    it(`${name} compiles without a warning, with one seed too, and has nothing to draw of a sweep without results`, () => {
      assert.deepStrictEqual(warningsOf(specOf(name, record) as TopLevelSpec), [])
      assert.deepStrictEqual(warningsOf(specOf(name, single) as TopLevelSpec), [])
      assert.isNull(specOf(name, empty))
    })

    it.effect(`${name} draws its marks`, () =>
      Effect.gen(function* () {
        const svg = yield* toSvg(specOf(name, record) as TopLevelSpec)
        const expected = marks[name] ?? {}
        assert.isNotEmpty(expected)
        assert.deepStrictEqual(Object.fromEntries(Object.keys(expected).map((mark) => [mark, drawn(svg, mark)])), {
          ...expected
        })
        assert.notMatch(svg, /NaN|undefined|Infinity/)
      })
    )
  }

  it("compares the curriculum with a random order only where the sweep has both", () => {
    assert.isNull(specOf("sweep-figure6", sweepFixture({ batchers: { gaussian: "gaussian", strong: "balanced" } })))
    assert.isNull(specOf("sweep-figure6", sweepFixture({ batchers: undefined })))
    const alone = record.cells.filter(({ arm }) => arm === "gaussian")
    assert.isNull(specOf("sweep-figure6", sweepFixture({ cells: alone })))
  })

  it("draws of the paper's figure what was read off it, and nothing else", () => {
    const text = JSON.stringify(specOf("sweep-figure6", record))
    const paper = text.slice(text.indexOf("the paper's Fig. 6"))
    assert.deepStrictEqual(
      [...paper.matchAll(/"accuracy":([\d.]+)/g)].map(([, value]) => Number(value)),
      [0.657, 0.629, 0.68, 0.659, 0.697, 0.672, 0.722, 0.64]
    )
  })
})
