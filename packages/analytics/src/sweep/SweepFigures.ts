/** The figures of a sweep: every chart that its cells have something for, drawn. */
import * as Effect from "effect/Effect"
import type { Figure } from "../Figures.ts"
import { type FigureUndrawable, toSvg } from "../Render.ts"
import type { Comparison } from "./compareArms.ts"
import { sweepCharts } from "./SweepCharts.ts"
import type { SweepRecord } from "./SweepRecord.ts"

/** Draws the charts of a sweep; those without data are left out. */
export const sweepFigures = Effect.fn("sweepFigures")(function* (
  record: SweepRecord,
  comparison: Comparison
): Effect.fn.Return<ReadonlyArray<Figure>, FigureUndrawable> {
  const drawn: Array<Figure> = []
  for (const { caption, name, spec: specOf, title } of sweepCharts) {
    const spec = specOf(record, comparison)
    if (spec !== null) drawn.push({ name, title, caption, spec, svg: yield* toSvg(spec) })
  }
  return drawn
})
