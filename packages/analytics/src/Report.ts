/** The report of a run: one self-contained HTML file with static figures, no script and no network. */
import type { RunRecord } from "@gradus/domain/RunRecord"
import type { RunSummary } from "@gradus/domain/RunSummary"
import * as Effect from "effect/Effect"
import { type Figure, figures } from "./Figures.ts"
import type { FigureUndrawable } from "./Render.ts"

export interface ReportOptions {
  /** Figures that are drawn already; absent: they are drawn here. */
  readonly figures?: ReadonlyArray<Figure>
  /** Digests of the run's results, as `gradus run --json` prints them. */
  readonly digest?: RunSummary["digest"]
}

/** Writes the report as HTML. It depends on the record and the options only: equal inputs give equal bytes. */
export const reportHtml = Effect.fn("reportHtml")(function* (
  record: RunRecord,
  options: ReportOptions = {}
): Effect.fn.Return<string, FigureUndrawable> {
  const drawn = options.figures ?? (yield* figures(record))
  const { page } = yield* Effect.promise(() => import("./report/Page.ts"))
  return page(record, drawn, options.digest)
})
