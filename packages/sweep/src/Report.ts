/** The report of a sweep, drawn from the summaries of its cells alone: report.html, figures/ and summary.json. */
import { sweepPage } from "@gradus/analytics/report/SweepPage"
import { compareArms, type Comparison } from "@gradus/analytics/sweep/compareArms"
import { sweepFigures } from "@gradus/analytics/sweep/SweepFigures"
import type { SweepCell, SweepRecord } from "@gradus/analytics/sweep/SweepRecord"
import { writeFile, writeJson } from "@gradus/experiment/AtomicFile"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import { readAttempts } from "./Attempts.ts"
import { cardOf } from "./Card.ts"
import type { PlanFile } from "./Cell.ts"
import { endedArms } from "./Ended.ts"
import type { SweepPlace } from "./Place.ts"
import { storedResult } from "./Result.ts"
import type { SweepSpec } from "./Spec.ts"

/** What a record takes from a sweep's text. */
export type SweepQuestion = Pick<SweepSpec, "description" | "baseline" | "metric" | "resamples">

/** Gathers what is finished into a record. */
export const sweepRecord = Effect.fn("Sweep.record")(function* (
  spec: SweepQuestion,
  plan: PlanFile,
  place: SweepPlace
) {
  const cells: Array<SweepCell> = []
  const ended = yield* endedArms(place, plan)
  let [failed, stopped] = [0, 0]
  for (const { arm, id } of plan.cells) {
    const result = yield* storedResult(place.result(id), id)
    if (result !== undefined) cells.push({ arm, result })
    else if (ended.has(arm)) stopped += 1
    else if ((yield* readAttempts(place.attempts(id))).at(-1)?._tag === "failed") failed += 1
  }
  const arms = [...new Set(plan.cells.map(({ arm }) => arm))]
  const record: SweepRecord = {
    name: plan.name,
    description: spec.description,
    digest: plan.digest,
    arms,
    baseline: spec.baseline ?? arms[0] ?? "",
    metric: spec.metric,
    batchers: (yield* cardOf(place, plan)).batchers,
    resamples: spec.resamples,
    planned: plan.cells.length,
    failed,
    stopped,
    cells
  }
  return record
})

/** Writes a record's page and figures, and gives the comparison that they show. */
export const writeReport = Effect.fn("Sweep.writeReport")(function* (
  record: SweepRecord,
  at: Pick<SweepPlace, "report" | "figures" | "summary">
) {
  const path = yield* Path.Path
  const comparison: Comparison = compareArms(record)
  const figures = yield* sweepFigures(record, comparison)
  for (const { name, spec, svg } of figures) {
    yield* writeJson(path.join(at.figures, `${name}.vl.json`), spec)
    yield* writeFile(path.join(at.figures, `${name}.svg`), svg)
  }
  yield* writeFile(at.report, sweepPage(record, comparison, figures))
  yield* writeJson(at.summary, { format: 1, plan: record.digest, ...comparison })
  return comparison
})
