/** Plans: every batch of a run before the first one is trained on, for the batchers that need no outcomes. */
import * as Digest from "@gradus/domain/Digest"
import type { CurriculumSpec } from "@gradus/domain/manifest/Curriculum"
import type { PlannedBatch } from "@gradus/domain/Plan"
import type { RatedQuestion } from "@gradus/domain/Profile"
import type { Seed } from "@gradus/domain/Seed"
import { passLength, type Target } from "./Batcher.ts"
import { batcherOf, needsOutcomes, passesOf } from "./Batchers.ts"
import { maxLevels } from "./Levels.ts"
import { CurriculumInvalid } from "./PoolInvalid.ts"

export interface PlanRequest {
  /** The questions that the filter kept, in any order. */
  readonly pool: ReadonlyArray<RatedQuestion>
  readonly spec: CurriculumSpec
  readonly promptsPerStep: number
  /** Steps to plan; absent: one pass over the pool. A pass is never exceeded, but by batchers that draw with replacement. */
  readonly steps?: number | undefined
  readonly seed: Seed
}

export interface CurriculumPlan {
  readonly batches: ReadonlyArray<PlannedBatch>
  /** What a reader of the plan should know: binned rates, questions left out, fewer steps than asked for. */
  readonly notes: ReadonlyArray<string>
}

/** Sees each batch as it is drawn, with what it aimed at. */
export type Watch = (batch: PlannedBatch, target: Target | null) => void

/** Counts the batches that will be planned at most. */
const most = ({ pool, promptsPerStep, spec, steps }: PlanRequest): number => {
  const pass = passLength(pool.length, { promptsPerStep, lastBatch: spec.last_batch })
  const passes = passesOf(spec)
  return passes === Infinity ? (steps ?? pass) : Math.min(pass * passes, steps ?? Infinity)
}

const notesOf = (request: PlanRequest, batches: number, metrics: Readonly<Record<string, number>>): Array<string> => {
  const { pool, spec, steps } = request
  const notes: Array<string> = []
  if (pool.length === 0) notes.push("no question is left to plan with")
  const distinct = metrics["curriculum/distinct_rates"] ?? 0
  if (distinct > maxLevels) notes.push(`${distinct} distinct pass rates were put into bins of 1/64`)
  const pass = most({ ...request, steps: undefined })
  const passes = passesOf(spec)
  if (steps !== undefined && passes !== Infinity && steps > pass) {
    const named = passes === 1 ? "one pass" : `${passes} passes`
    notes.push(
      `${steps} steps were asked for; ${named} over ${pool.length} questions ${passes === 1 ? "has" : "have"} ${pass}`
    )
  }
  const unused = metrics["curriculum/left"] ?? 0
  if (passes !== Infinity && unused > 0)
    notes.push(`${unused} of ${pool.length} questions are not used in ${batches} steps`)
  return notes
}

/**
 * Plans all batches. A pool without questions gives an empty plan and a note. The order depends on the seed, the questions
 * and the settings, not on the order of the pool's rows. `watch` sees every batch with its target.
 * Throws `PoolInvalid` for ids that occur twice and questions without a pass rate, `CurriculumInvalid` for fewer than one prompt a
 * step and for batchers that learn from outcomes.
 */
export const plan = (request: PlanRequest, watch?: Watch): CurriculumPlan => {
  const { pool, promptsPerStep, seed, spec, steps } = request
  if (needsOutcomes(spec)) {
    const reason = `${spec.batcher} learns from what comes of each batch: only a run can say its batches`
    throw new CurriculumInvalid({ key: "curriculum.batcher", reason })
  }
  const batcher = batcherOf(spec)
  const batches: Array<PlannedBatch> = []
  let state = batcher.init(pool, { promptsPerStep, steps, seed, lastBatch: spec.last_batch })
  const end = most(request)
  while (batches.length < end) {
    const target = watch === undefined ? null : batcher.target(state)
    const drawn = batcher.draw(state)
    if (drawn === undefined) break
    batches.push(drawn[0])
    watch?.(drawn[0], target)
    state = drawn[1]
  }
  return { batches, notes: notesOf(request, batches.length, batcher.metrics(state)) }
}

/** Computes `digest.plan`: of the canonical JSON of the batches' question ids, an array of arrays. */
export const planDigest = (batches: ReadonlyArray<PlannedBatch>): Digest.Digest =>
  Digest.ofJson(batches.map((batch) => batch.questions))
