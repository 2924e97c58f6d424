/** All charts of plans: those of one plan in the order in which they are read, and the one that compares several. */
import * as Effect from "effect/Effect"
import type { PlanReport } from "@gradus/domain/PlanReport"
import { planComparison } from "./charts/plan/planComparison.ts"
import { planComposition } from "./charts/plan/planComposition.ts"
import { planDepletion } from "./charts/plan/planDepletion.ts"
import { planDistance } from "./charts/plan/planDistance.ts"
import { planTarget } from "./charts/plan/planTarget.ts"
import type { Figure } from "./Figures.ts"
import type { PlanChart } from "./PlanChart.ts"
import { type FigureUndrawable, toSvg } from "./Render.ts"

export const planCharts: ReadonlyArray<PlanChart> = [
  planTarget,
  planComposition,
  planDepletion,
  planDistance,
  planComparison
]

/** Draws the charts of one plan or several; those without data are left out. */
export const planFigures = Effect.fn("planFigures")(function* (
  reports: ReadonlyArray<PlanReport>
): Effect.fn.Return<ReadonlyArray<Figure>, FigureUndrawable> {
  const drawn: Array<Figure> = []
  for (const { caption, name, spec: specOf, title } of planCharts) {
    const spec = specOf(reports)
    if (spec !== null) drawn.push({ name, title, caption, spec, svg: yield* toSvg(spec) })
  }
  return drawn
})
