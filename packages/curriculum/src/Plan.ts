/** Plans: every batch of a run before the first one is trained on, for the batchers that need no outcomes. */
import * as Digest from "@gradus/domain/Digest"
import type { CurriculumSpec } from "@gradus/domain/manifest/Curriculum"
import type { PlannedBatch } from "@gradus/domain/Plan"
import type { RatedQuestion } from "@gradus/domain/Profile"
import type { Seed } from "@gradus/domain/Seed"
import { type Batcher, type DrawOptions, passLength } from "./Batcher.ts"
import { gaussian } from "./batchers/Gaussian.ts"
import { uniform } from "./batchers/Uniform.ts"
import { maxLevels } from "./Levels.ts"

export interface PlanRequest {
  /** The questions that the filter kept, in any order. */
  readonly pool: ReadonlyArray<RatedQuestion>
  readonly spec: CurriculumSpec
  readonly promptsPerStep: number
  /** Steps to plan; absent: one pass over the pool. A pass is never exceeded. */
  readonly steps?: number | undefined
  readonly seed: Seed
}

export interface CurriculumPlan {
  readonly batches: ReadonlyArray<PlannedBatch>
  /** What a reader of the plan should know: binned rates, questions left out, fewer steps than asked for. */
  readonly notes: ReadonlyArray<string>
}

const drawAll = <State, Options extends DrawOptions>(
  batcher: Batcher<State, Options>,
  pool: ReadonlyArray<RatedQuestion>,
  options: Options
): { readonly batches: Array<PlannedBatch>; readonly metrics: Readonly<Record<string, number>> } => {
  const batches: Array<PlannedBatch> = []
  let state = batcher.init(pool, options)
  while (batches.length < (options.steps ?? Infinity)) {
    const drawn = batcher.draw(state)
    if (drawn === undefined) break
    batches.push(drawn[0])
    state = drawn[1]
  }
  return { batches, metrics: batcher.metrics(state) }
}

const notesOf = (request: PlanRequest, batches: number, metrics: Readonly<Record<string, number>>): Array<string> => {
  const { pool, promptsPerStep, spec, steps } = request
  const notes: Array<string> = []
  if (pool.length === 0) notes.push("no question is left to plan with")
  const distinct = metrics["curriculum/distinct_rates"] ?? 0
  if (distinct > maxLevels) notes.push(`${distinct} distinct pass rates were put into bins of 1/64`)
  const pass = passLength(pool.length, { promptsPerStep, lastBatch: spec.last_batch })
  if (steps !== undefined && steps > pass) {
    notes.push(`${steps} steps were asked for; one pass over ${pool.length} questions has ${pass}`)
  }
  const unused = metrics["curriculum/left"] ?? 0
  if (unused > 0) notes.push(`${unused} of ${pool.length} questions are not used in ${batches} steps`)
  return notes
}

/**
 * Plans all batches. A pool without questions gives an empty plan and a note. The order depends on the seed, the questions
 * and the settings, not on the order of the pool's rows.
 * Throws a RangeError for ids that occur twice, questions without a pass rate, and fewer than one prompt a step.
 */
export const plan = (request: PlanRequest): CurriculumPlan => {
  const { pool, promptsPerStep, seed, spec, steps } = request
  if (!Number.isInteger(promptsPerStep) || promptsPerStep < 1) {
    throw new RangeError(`${promptsPerStep} prompts a step: at least 1 is needed`)
  }
  const options = { promptsPerStep, steps, seed, lastBatch: spec.last_batch }
  const { batches, metrics } =
    spec.batcher === "gaussian"
      ? drawAll(gaussian, pool, { ...options, sigma: spec.sigma, start: spec.start, end: spec.end })
      : drawAll(uniform, pool, options)
  return { batches, notes: notesOf(request, batches.length, metrics) }
}

/** Computes `digest.plan`: of the canonical JSON of the batches' question ids, an array of arrays. */
export const planDigest = (batches: ReadonlyArray<PlannedBatch>): Digest.Digest =>
  Digest.ofJson(batches.map((batch) => batch.questions))
