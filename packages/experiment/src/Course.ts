/**
 * The course of a run: which questions each step draws. The batcher's state is a function of the pool, the seed and what came of the finished
 * steps; all of these are on disk, so a run that goes on draws the course again up to where the journal stands. Pure.
 */
import type { JournalEvent, StepOutcome } from "@gradus/domain/Journal"
import type { CurriculumSpec } from "@gradus/domain/manifest/Curriculum"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { PlannedBatch } from "@gradus/domain/Plan"
import type { RatedQuestion } from "@gradus/domain/Profile"
import type { Outcome } from "@gradus/curriculum/Batcher"
import { passLength } from "@gradus/curriculum/Batcher"
import { batcherOf, type BoundBatcher, passesOf } from "@gradus/curriculum/Batchers"
import { filter, type Profiled } from "@gradus/curriculum/Filter"
import * as Seed from "@gradus/domain/Seed"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { WeighedGroup } from "./StepBatch.ts"
import { leftAfter } from "./Served.ts"

/** The journal says that a step drew other questions than its batcher draws now: profile, seed or code are not those of the run. */
export class CourseDiverged extends Schema.TaggedError<CourseDiverged>()("CourseDiverged", {
  step: Schema.Int,
  reason: Schema.String
}) {
  override get message(): string {
    return `step ${this.step} cannot be followed: ${this.reason}; was the profile or the code changed since?`
  }
}

export interface Course {
  readonly batcher: BoundBatcher
  readonly state: unknown
  /** Steps after which the run ends at the latest. */
  readonly most: number
  /** Steps that are expected: what the learning rate spans. A refresh leaves it as it is: a schedule that is under way is not bent. */
  readonly expected: number
  /** What the run began with, and a refresh begins anew from. */
  readonly origin: {
    readonly manifest: Manifest
    readonly pool: ReadonlyArray<RatedQuestion>
    readonly seed: Seed.Seed
  }
}

/** A question whose group cannot be scored comes back; a judge that never answers must not make a run endless. */
const RETURNS = 2

/** Begins a course over the kept questions. Throws what the batcher's `init` throws. */
export const begin = (manifest: Manifest, pool: ReadonlyArray<RatedQuestion>, seed: Seed.Seed): Course => {
  const { curriculum, train } = manifest
  const batcher = batcherOf(curriculum)
  const options = { promptsPerStep: train.prompts_per_step, steps: train.steps, lastBatch: curriculum.last_batch, seed }
  const pass = passLength(pool.length, options)
  const passes = passesOf(curriculum)
  // a batcher that draws with replacement never ends by itself: one pass, unless steps are stated
  const endless = passes === Infinity
  const all = endless ? pass : pass * passes
  return {
    batcher,
    state: batcher.init(pool, options),
    most: train.steps ?? (endless ? all : all * RETURNS),
    expected: Math.max(1, train.steps === undefined ? all : endless ? train.steps : Math.min(train.steps, all)),
    origin: { manifest, pool, seed }
  }
}

/** Ratios of the domains that are left: one that is used up takes no part any more, and where no ratio is left the pool's hold. */
const amongLeft = (spec: CurriculumSpec, pool: ReadonlyArray<RatedQuestion>): CurriculumSpec => {
  if (spec.batcher !== "gaussian" || spec.domain_ratios === undefined) return spec
  const left = new Set(pool.map(({ domain }) => domain))
  const { domain_ratios: _, ...rest } = spec
  const ratios = Object.entries(spec.domain_ratios).filter(([name]) => left.has(name))
  return ratios.some(([, ratio]) => ratio > 0) ? { ...rest, domain_ratios: Object.fromEntries(ratios) } : rest
}

/**
 * Begins anew after a step, on what is left: with the new pass rates where a question could be scored, without those that are now too easy. They are
 * not gone: the next refresh measures them again. Throws as `begin`.
 */
export const refreshed = (
  course: Course,
  left: ReadonlyArray<RatedQuestion>,
  profile: ReadonlyArray<Profiled>,
  step: number
): Course => {
  const { manifest, seed } = course.origin
  const latest = new Map(profile.flatMap((row) => (row.scored > 0 ? [[row.question_id, row] as const] : [])))
  const pool = filter(
    left.map((row) => {
      const { passed, scored } = latest.get(row.question_id) ?? row
      return { ...row, passed, scored }
    }),
    manifest.filter
  ).kept
  // what draws with replacement has the whole pool left: its steps are stated, or those that the run began with
  const total = manifest.train.steps ?? (passesOf(manifest.curriculum) > 1 ? course.expected : undefined)
  const rest = total === undefined ? undefined : total - step
  const train = { ...manifest.train, ...(rest === undefined ? {} : { steps: Math.max(1, rest) }) }
  const begun = begin(
    { ...manifest, train, curriculum: amongLeft(manifest.curriculum, pool) },
    pool,
    Seed.child(seed, "refresh", step)
  )
  // never more than the run began with: a question that can never be scored must not make a run endless
  const most = Math.min(course.most, step + (rest ?? begun.most))
  return { ...begun, most, expected: course.expected, origin: course.origin }
}

/** Draws the batch of a step (from 1), or what it lacks after a round, and the course after it; undefined when the course has ended. */
export const draw = (course: Course, step: number, lacking?: number): readonly [PlannedBatch, Course] | undefined => {
  if (step > course.most) return undefined
  const drawn = course.batcher.draw(course.state, lacking)
  return drawn === undefined
    ? undefined
    : [
        { ...drawn[0], batch: step },
        { ...course, state: drawn[1] }
      ]
}

/** Tells the batcher what came of the batch drawn last. */
export const observe = (course: Course, outcomes: ReadonlyArray<Outcome>): Course => ({
  ...course,
  state: course.batcher.observe(course.state, outcomes)
})

/** Sums up what came of each question of a step. A group that was dropped counts as not scored: its question goes back to its pool. */
export const outcomesOf = (groups: ReadonlyArray<WeighedGroup>, passMark: number): ReadonlyArray<StepOutcome> =>
  groups.map(({ advantages, dropped, question, values }) => {
    const scored = dropped ? [] : values.filter((value) => value !== null)
    const given = advantages.filter((advantage) => advantage !== null)
    const size = given.reduce((sum, advantage) => sum + Math.abs(advantage), 0)
    return {
      question_id: question.question_id,
      scored: scored.length,
      passed: scored.filter((value) => value >= passMark).length,
      ...(given.length === 0 ? {} : { advantage: size / given.length })
    }
  })

const sameQuestions = (a: PlannedBatch, b: PlannedBatch): boolean =>
  a.questions.length === b.questions.length && a.questions.every((id, index) => id === b.questions[index])

/** Draws the rounds of a generated step again and observes what came of them. */
export const followStep = (
  course: Course,
  event: Extract<JournalEvent, { _tag: "step_generated" }>
): Result.Result<Course, CourseDiverged> => {
  const diverged = (reason: string) => Result.fail(new CourseDiverged({ step: event.step, reason }))
  const { batch: first, outcomes, refill = [] } = event
  if (first === undefined || outcomes === undefined) return diverged("its batch is not there")
  let now = course
  for (const round of [{ lacking: undefined, batch: first, outcomes }, ...refill]) {
    const drawn = draw(now, event.step, round.lacking)
    if (drawn === undefined) return diverged("its batch is not there")
    if (!sameQuestions(drawn[0], round.batch)) return diverged("it drew other questions")
    now = observe(drawn[1], round.outcomes)
  }
  return Result.succeed(now)
}

/** Follows the journal: draws every finished step again, observes what came of it, and begins anew where the course was refreshed. */
export const follow = (
  course: Course,
  events: ReadonlyArray<JournalEvent>,
  finished: number,
  profiles: ReadonlyMap<number, ReadonlyArray<Profiled>> = new Map()
): Result.Result<Course, CourseDiverged> => {
  let now = course
  for (const [index, event] of events.entries()) {
    if (event._tag === "course_refreshed" && event.step <= finished) {
      const left = leftAfter(course.origin.manifest, course.origin.pool, events.slice(0, index))
      now = refreshed(now, left, profiles.get(event.step) ?? [], event.step)
    }
    if (event._tag !== "step_generated" || event.step > finished) continue
    const followed = followStep(now, event)
    if (Result.isFailure(followed)) return followed
    now = followed.success
  }
  return Result.succeed(now)
}
