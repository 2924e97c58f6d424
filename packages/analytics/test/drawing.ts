/** What tests ask of a chart: whether vega-lite is content with it, and what its drawing holds. */
import { compile, type TopLevelSpec } from "vega-lite"

/** Compiles a spec and says what vega-lite warned of. */
export const warningsOf = (spec: TopLevelSpec): ReadonlyArray<string> => {
  const warnings: Array<string> = []
  const note = (...texts: ReadonlyArray<unknown>) => {
    warnings.push(texts.join(" "))
    return logger
  }
  const logger = { level: () => logger, error: note, warn: note, info: () => logger, debug: () => logger }
  // vega's declared logger has an overloaded `level`, which no object literal can have
  compile(spec, { logger: logger as never })
  return warnings
}

/** Counts drawn elements inside the groups of a mark type: vega names them `mark-line role-mark …`. */
export const drawn = (svg: string, mark: string): number =>
  [...svg.matchAll(new RegExp(`<g class="mark-${mark} role-mark[^"]*"[^>]*>(.*?)</g>`, "gs"))]
    .map(([, inside]) => inside?.match(/<(path|line|text)\b/g)?.length ?? 0)
    .reduce((sum, count) => sum + count, 0)
