/** The figures of a run: every chart that the record has something for, drawn. */
import type { RunRecord } from "@gradus/domain/RunRecord"
import * as Effect from "effect/Effect"
import type { TopLevelSpec } from "vega-lite"
import { type FigureUndrawable, toSvg } from "./Render.ts"
import { isSimulated, marked } from "./Simulated.ts"

/** A drawn chart. Its files are `figures/<name>.vl.json` and `figures/<name>.svg`. */
export interface Figure {
  readonly name: string
  readonly title: string
  readonly caption: string
  readonly spec: TopLevelSpec
  readonly svg: string
}

/** Draws the charts of a run one after another; those without data are left out. Charts and vega are loaded here, not at import. */
export const figures = Effect.fn("figures")(function* (
  record: RunRecord
): Effect.fn.Return<ReadonlyArray<Figure>, FigureUndrawable> {
  const { charts } = yield* Effect.promise(() => import("./Charts.ts"))
  const drawn: Array<Figure> = []
  for (const { caption, name, spec: specOf, title } of charts) {
    const bare = specOf(record)
    if (bare === null) continue
    const spec = isSimulated(record) ? marked(bare) : bare
    drawn.push({ name, title, caption, spec, svg: yield* toSvg(spec) })
  }
  return drawn
})
