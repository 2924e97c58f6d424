/**
 * The course of a run: which questions each step draws. The batcher's state is a function of the pool, the seed and what came of the finished
 * steps; all of these are on disk, so a run that goes on draws the course again up to where the journal stands. Pure.
 */
import type { JournalEvent, StepOutcome } from "@gradus/domain/Journal"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { PlannedBatch } from "@gradus/domain/Plan"
import type { RatedQuestion } from "@gradus/domain/Profile"
import type { Outcome } from "@gradus/curriculum/Batcher"
import { passLength } from "@gradus/curriculum/Batcher"
import { batcherOf, type BoundBatcher, needsOutcomes } from "@gradus/curriculum/Batchers"
import * as Seed from "@gradus/domain/Seed"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { WeighedGroup } from "./StepBatch.ts"

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
  /** Steps that are expected: what schedules span. */
  readonly expected: number
}

/** A question whose group cannot be scored comes back; a judge that never answers must not make a run endless. */
const RETURNS = 2

/** Begins a course over the kept questions. Throws what the batcher's `init` throws. */
export const begin = (manifest: Manifest, pool: ReadonlyArray<RatedQuestion>, seed: Seed.Seed): Course => {
  const { curriculum, train } = manifest
  const batcher = batcherOf(curriculum)
  const options = { promptsPerStep: train.prompts_per_step, steps: train.steps, lastBatch: curriculum.last_batch, seed }
  const pass = passLength(pool.length, options)
  return {
    batcher,
    state: batcher.init(pool, options),
    most: train.steps ?? pass * RETURNS,
    expected: Math.max(1, needsOutcomes(curriculum) ? (train.steps ?? pass) : Math.min(train.steps ?? pass, pass))
  }
}

/** Draws the batch of a step (from 1), and the course after it; undefined when the course has ended. */
export const draw = (course: Course, step: number): readonly [PlannedBatch, Course] | undefined => {
  if (step > course.most) return undefined
  const drawn = course.batcher.draw(course.state)
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

/** Follows the journal: draws every finished step again and observes what came of it. */
export const follow = (
  course: Course,
  events: ReadonlyArray<JournalEvent>,
  finished: number
): Result.Result<Course, CourseDiverged> => {
  let now = course
  for (const event of events) {
    if (event._tag !== "step_generated" || event.step > finished) continue
    const drawn = draw(now, event.step)
    if (drawn === undefined || event.batch === undefined || event.outcomes === undefined)
      return Result.fail(new CourseDiverged({ step: event.step, reason: "its batch is not there" }))
    if (!sameQuestions(drawn[0], event.batch))
      return Result.fail(new CourseDiverged({ step: event.step, reason: "it drew other questions" }))
    now = observe(drawn[1], event.outcomes)
  }
  return Result.succeed(now)
}
