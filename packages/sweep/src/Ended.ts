/** Which arms the sweep's rule has ended. */
import { exists, readJson } from "@gradus/experiment/AtomicFile"
import * as Effect from "effect/Effect"
import type { PlanFile } from "./Cell.ts"
import { HalvingFile } from "./Halving.ts"
import type { SweepPlace } from "./Place.ts"

/** Reads the arms that were ended, as long as it was this plan that was ruled on. */
export const endedArms = Effect.fn("Sweep.endedArms")(function* (place: SweepPlace, plan: PlanFile) {
  if (plan.early_stop === null || !(yield* exists(place.halving))) return new Set<string>()
  const { decisions, plan: decided } = yield* readJson(HalvingFile, place.halving)
  return new Set(decided === plan.digest ? decisions.flatMap(({ stopped }) => stopped) : [])
})
