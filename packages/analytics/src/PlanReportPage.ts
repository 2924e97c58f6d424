/** The page of plans: one self-contained HTML file with static figures, no script and no network. */
import type { PlanReport, PlanSummary } from "@gradus/domain/PlanReport"
import * as Effect from "effect/Effect"
import type { Figure } from "./Figures.ts"

/** A plan, in full and in figures, with its own charts. */
export interface DrawnPlan {
  readonly report: PlanReport
  readonly summary: PlanSummary
  readonly figures: ReadonlyArray<Figure>
}

/** Writes the page of one plan or several on one pool; `shared` are the charts of all together. Equal inputs give equal bytes. */
export const planHtml = Effect.fn("planHtml")(function* (
  plans: ReadonlyArray<DrawnPlan>,
  shared: ReadonlyArray<Figure>
): Effect.fn.Return<string> {
  const { planPage } = yield* Effect.promise(() => import("./report/PlanPage.ts"))
  return planPage(plans, shared)
})
