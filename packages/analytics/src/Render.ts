/** Draws specs: vega-lite to SVG (vega, no browser, no canvas) and SVG to PNG (resvg). The libraries are loaded when first needed. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { TopLevelSpec } from "vega-lite"

/** A figure could not be drawn: its spec does not compile, vega refused it, or the SVG is not readable. */
export class FigureUndrawable extends Schema.TaggedError<FigureUndrawable>()("FigureUndrawable", {
  reason: Schema.String
}) {
  override get message() {
    return `a figure could not be drawn: ${this.reason}`
  }
}

const undrawable = (cause: unknown) =>
  new FigureUndrawable({ reason: cause instanceof Error ? cause.message : String(cause) })

/** Writes nowhere: vega's own logger is the console. Warnings about a spec are found by the tests, which compile every chart. */
const silent = () => {
  const logger = {
    level: () => logger,
    error: () => logger,
    warn: () => logger,
    info: () => logger,
    debug: () => logger
  }
  return logger
}

const draw = async (spec: TopLevelSpec): Promise<string> => {
  const [vega, vegaLite] = await Promise.all([import("vega"), import("vega-lite")])
  const logger = silent()
  // vega's declared logger has an overloaded `level`, which no object literal can have
  const compiled = vegaLite.compile(spec, { logger: logger as never }).spec
  const view = new vega.View(vega.parse(compiled), { renderer: "none", logger: logger as never })
  try {
    return await view.toSVG()
  } finally {
    view.finalize()
  }
}

/** Draws a vega-lite spec as one SVG element (pixels; colours as in the spec). */
export const toSvg = (spec: TopLevelSpec): Effect.Effect<string, FigureUndrawable> =>
  Effect.tryPromise({ try: () => draw(spec), catch: undrawable })

export interface PictureOptions {
  /** Pixels of the picture for each pixel of the SVG; 2 unless told. */
  readonly scale?: number
  /** TrueType or OpenType files to take letters from, beside the system's fonts. Without any font the picture has no text. */
  readonly fontFiles?: ReadonlyArray<string>
}

/** Draws an SVG as PNG bytes on its own background. */
export const toPng = (svg: string, options: PictureOptions = {}): Effect.Effect<Uint8Array, FigureUndrawable> =>
  Effect.tryPromise({
    try: async () => {
      const { Resvg } = await import("@resvg/resvg-js")
      const picture = new Resvg(svg, {
        fitTo: { mode: "zoom", value: options.scale ?? 2 },
        font: { loadSystemFonts: true, fontFiles: [...(options.fontFiles ?? [])], defaultFontFamily: "DejaVu Sans" }
      })
      return new Uint8Array(picture.render().asPng())
    },
    catch: undrawable
  })
