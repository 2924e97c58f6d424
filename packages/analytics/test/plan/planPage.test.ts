/** The page of plans: figures of each curriculum by ids of their own, warnings and names as text. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { PlanReport, PlanSummary } from "@gradus/domain/PlanReport"
import { planHtml } from "../../src/PlanReportPage.ts"
import { planFigures } from "../../src/PlanCharts.ts"
import { gaussianReport, uniformReport } from "./planFixture.ts"

const summaryOf = ({ batches, name }: PlanReport): PlanSummary => ({
  name,
  batches: batches.length,
  questions: 96,
  first_mean: 0.625,
  last_mean: 0.05,
  fill_share: 0.125,
  distance: null,
  mostly_fill_from: null,
  order: -0.5,
  silent_share: 0.25
})

describe("the page of plans", () => {
  it.effect("shows each plan with its warnings, pools and figures, and loads nothing", () =>
    Effect.gen(function* () {
      const hostile = { ...gaussianReport(), name: "<b>bold</b>", warnings: ["from batch 9 on, 60 % is fill"] }
      const reports = [hostile, uniformReport()]
      const plans = yield* Effect.forEach(reports, (report, i) =>
        Effect.map(planFigures([report]), (figures) => ({
          report,
          summary: summaryOf(report),
          figures: figures.map((figure) => ({ ...figure, name: `p${i}-${figure.name}` }))
        }))
      )
      const page = yield* planHtml(plans, [])
      const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)
      assert.lengthOf(new Set(ids), ids.length, "an id occurs twice")
      assert.include(page, 'id="figure-p0-plan-target"')
      assert.include(page, 'id="figure-p1-plan-composition"')
      assert.include(page, "<p>from batch 9 on, 60 % is fill</p>")
      assert.include(page, "&lt;b&gt;bold&lt;/b&gt;")
      assert.notInclude(page, "<b>bold")
      assert.include(page, "62.5 %")
      assert.notMatch(page, /<script|src=|@import/u)
      assert.strictEqual(yield* planHtml(plans, []), page)
    })
  )
})
