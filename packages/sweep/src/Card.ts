/** sweep.json: what the comparison is about, kept beside the plan, so that a sweep can be looked at without its file. */
import { SweepCard } from "@gradus/domain/SweepIndex"
import { exists, readJson } from "@gradus/experiment/AtomicFile"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import type { PlanFile } from "./Cell.ts"
import { replaceJson } from "./CommonFile.ts"
import type { SweepPlace } from "./Place.ts"
import type { PlannedSweep } from "./Plan.ts"

/** Writes the card where it says something new. */
export const keepCard = Effect.fn("Sweep.keepCard")(function* (
  { manifestOf, plan, spec }: Pick<PlannedSweep, "manifestOf" | "plan" | "spec">,
  place: SweepPlace
) {
  const path = yield* Path.Path
  const card: SweepCard = {
    format: 1,
    description: spec.description ?? null,
    baseline: spec.baseline ?? plan.cells[0]?.arm ?? "",
    metric: { set: spec.metric.set, target: spec.metric.target ?? null },
    resamples: spec.resamples,
    results: path.relative(place.root, place.results),
    batchers: Object.fromEntries(plan.cells.map((cell) => [cell.arm, manifestOf(cell).curriculum.batcher]))
  }
  const before = (yield* exists(place.card)) ? yield* Effect.option(readJson(SweepCard, place.card)) : undefined
  const said = before?._tag === "Some" ? JSON.stringify(before.value) : undefined
  if (said !== JSON.stringify(card)) yield* replaceJson(place.card, card)
})

/** Reads the card of a plan; a sweep that was planned before there were cards has its first arm as the baseline. */
export const cardOf = Effect.fn("Sweep.cardOf")(function* (place: SweepPlace, plan: PlanFile) {
  if (yield* exists(place.card)) return yield* readJson(SweepCard, place.card)
  const card: SweepCard = {
    format: 1,
    description: null,
    baseline: plan.cells[0]?.arm ?? "",
    metric: { set: "heldout", target: null },
    resamples: 10_000,
    results: "results",
    batchers: {}
  }
  return card
})
