/** A vega-lite spec as what a cell shows: the spec for front ends that draw it, a picture for those that do not, and a line of text. */
import { type FigureUndrawable, toPng, toSvg } from "@gradus/analytics/Render"
import { visibleText } from "@gradus/analytics/report/Html"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import type { TopLevelSpec } from "vega-lite"
import type { Bundle } from "./Display.ts"

/** Pixels of the picture for each of the figure: its letters are then about as large as those of the page. */
const SCALE = 1.25

interface Titled {
  readonly title?: string | { readonly text?: string; readonly subtitle?: string }
  readonly concat?: ReadonlyArray<Titled>
  readonly vconcat?: ReadonlyArray<Titled>
}

/** The titles of a figure and of its panels. */
const titlesOf = ({ concat = [], title, vconcat = [] }: Titled): ReadonlyArray<string> => {
  const own = typeof title === "object" ? [title.text, title.subtitle] : [title]
  return [...own.filter((part) => part !== undefined), ...[...concat, ...vconcat].flatMap(titlesOf)]
}

/** Draws a spec; null (nothing to draw) is text alone. */
export const drawn = Effect.fn("notebook.drawn")(function* (
  spec: TopLevelSpec | null
): Effect.fn.Return<Bundle, FigureUndrawable> {
  if (spec === null) return { "text/plain": "nothing to draw" }
  const png = yield* toPng(yield* toSvg(spec), { scale: SCALE })
  return {
    "application/vnd.vegalite.v5+json": spec,
    "image/png": Base64.encode(png),
    "text/plain": visibleText(`chart: ${titlesOf(spec as Titled).join("; ")}`)
  }
})
