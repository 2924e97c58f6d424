/** The plan on disk: written once, and changed only by an extension that keeps every cell. */
import { exists, readJson } from "@gradus/experiment/AtomicFile"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { keepCard } from "./Card.ts"
import { PlanFile } from "./Cell.ts"
import { replaceJson } from "./CommonFile.ts"
import type { SweepPlace } from "./Place.ts"
import type { PlannedSweep } from "./Plan.ts"

/** The sweep says something else than its stored plan. */
export class SweepChanged extends Schema.TaggedError<SweepChanged>()("SweepChanged", {
  file: Schema.String,
  name: Schema.String,
  added: Schema.Int,
  removed: Schema.Int
}) {
  override get message(): string {
    if (this.added === 0 && this.removed === 0)
      return `${this.file} has the cells of the plan of ${this.name} in another order, under other names or under another rule of early_stop; \`gradus sweep extend ${this.file}\` puts its plan in the place of that one`
    const change = `${this.file} adds ${this.added} cells to the plan of ${this.name} and takes ${this.removed} away`
    return this.removed === 0
      ? `${change}; \`gradus sweep extend ${this.file}\` makes them part of it`
      : `${change}; a plan only grows: give the sweep another name, or put back what was there`
  }
}

/** Nothing was planned yet. */
export class SweepUnplanned extends Schema.TaggedError<SweepUnplanned>()("SweepUnplanned", { name: Schema.String }) {
  override get message(): string {
    return `there is no plan of ${this.name} to extend; \`gradus sweep plan\` makes it`
  }
}

/** Reads the stored plan; undefined where there is none. */
export const storedPlan = Effect.fn("Sweep.storedPlan")(function* (place: SweepPlace) {
  return (yield* exists(place.plan)) ? yield* readJson(PlanFile, place.plan) : undefined
})

const difference = (stored: PlanFile, plan: PlanFile) => {
  const before = new Set(stored.cells.map(({ id }) => id))
  const after = new Set(plan.cells.map(({ id }) => id))
  return {
    added: plan.cells.filter(({ id }) => !before.has(id)).length,
    removed: stored.cells.filter(({ id }) => !after.has(id)).length
  }
}

/** Stores the plan, or finds that it is the stored one. Says whether it was there. Fails with SweepChanged. */
export const keepPlan = Effect.fn("Sweep.keepPlan")(function* (planned: PlannedSweep, place: SweepPlace) {
  const stored = yield* storedPlan(place)
  if (stored?.digest === planned.plan.digest) {
    // baseline, metric and description may be written anew without another plan
    yield* keepCard(planned, place)
    return { plan: stored, kept: true }
  }
  if (stored !== undefined)
    return yield* new SweepChanged({
      file: planned.file,
      name: planned.plan.name,
      ...difference(stored, planned.plan)
    })
  yield* replaceJson(place.plan, planned.plan)
  yield* keepCard(planned, place)
  return { plan: planned.plan, kept: false }
})

/** Puts a larger plan in the place of the stored one. All stored cells stay; how arms are named may change. */
export const extendPlan = Effect.fn("Sweep.extendPlan")(function* (planned: PlannedSweep, place: SweepPlace) {
  const stored = yield* storedPlan(place)
  if (stored === undefined) return yield* new SweepUnplanned({ name: planned.plan.name })
  const changed = difference(stored, planned.plan)
  if (changed.removed > 0) return yield* new SweepChanged({ file: planned.file, name: planned.plan.name, ...changed })
  if (stored.digest === planned.plan.digest) {
    yield* keepCard(planned, place)
    return { plan: stored, added: 0 }
  }
  const plan: PlanFile = { ...planned.plan, extends: stored.digest }
  yield* replaceJson(place.plan, plan)
  yield* keepCard(planned, place)
  return { plan, added: changed.added }
})
