/** The files of plans: a page, charts as vega-lite specs, SVG and PNG, the reports as JSON, each plan as Parquet. */
import type { Figure } from "@gradus/analytics/Figures"
import { planCharts, planFigures } from "@gradus/analytics/PlanCharts"
import { type DrawnPlan, planHtml } from "@gradus/analytics/PlanReportPage"
import { toPng } from "@gradus/analytics/Render"
import { encodePlan } from "@gradus/datasets/PlanTable"
import { writeFile, writeJson } from "@gradus/experiment/AtomicFile"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import type { MadePlan } from "./commands/Plan.ts"

/** A curriculum's name as a part of file names. */
const slug = (name: string): string => name.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-")

const comparison = planCharts.at(-1)?.name

/** Draws each plan's own charts, named after it, and those of all together. */
const draw = Effect.fnUntraced(function* (plans: ReadonlyArray<MadePlan>) {
  const own = yield* Effect.forEach(plans, ({ report }) => planFigures([report]))
  const all = plans.length < 2 ? [] : yield* planFigures(plans.map(({ report }) => report))
  const drawn = plans.map(({ report, summary }, i): DrawnPlan => ({
    report,
    summary,
    figures: (own[i] ?? []).map((figure) => ({ ...figure, name: `${slug(report.name)}-${figure.name}` }))
  }))
  return { drawn, shared: all.filter(({ name }) => name === comparison) }
})

const writeFigure = Effect.fnUntraced(function* (folder: string, { name, spec, svg }: Figure) {
  const path = yield* Path.Path
  const file = (ending: string): string => path.join(folder, `${name}.${ending}`)
  yield* writeJson(file("vl.json"), spec)
  yield* writeFile(file("svg"), svg)
  yield* writeFile(file("png"), yield* toPng(svg))
})

/** Draws everything, then writes it into a directory; gives the page's path. */
export const writePlans = Effect.fn("PlanFiles.write")(function* (plans: ReadonlyArray<MadePlan>, directory: string) {
  const path = yield* Path.Path
  const { drawn, shared } = yield* draw(plans)
  const page = yield* planHtml(drawn, shared)
  const figures = path.join(directory, "figures")
  for (const figure of [...shared, ...drawn.flatMap((plan) => plan.figures)]) yield* writeFigure(figures, figure)
  for (const { batches, report } of plans)
    if (batches.length > 0)
      yield* writeFile(path.join(directory, `${slug(report.name)}.plan.parquet`), yield* encodePlan(batches))
  yield* writeJson(path.join(directory, "plans.json"), {
    format: 1,
    plans: plans.map(({ report, summary }) => ({ report, summary }))
  })
  const file = path.join(directory, "plan.html")
  yield* writeFile(file, page)
  return file
})
