import type { JournalEvent } from "@gradus/domain/Journal"
import * as Seed from "@gradus/domain/Seed"
import type { CurriculumSpec } from "@gradus/domain/manifest/Curriculum"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Course from "../src/Course.ts"
import { weigh } from "../src/StepBatch.ts"
import { group, manifest } from "./steps.ts"

const pool = Array.from({ length: 12 }, (_, i) => ({ question_id: `q${i}`, passed: i % 6, scored: 8 }))
const seed = Seed.root(4)
const spec = (curriculum: object, steps?: number) =>
  manifest({ curriculum, train: { prompts_per_step: 3, ...(steps === undefined ? {} : { steps }) } })

/** Runs a course to its end; `fails(step, id)` says which groups could not be scored. Returns the journal that a run would have written. */
const walk = (
  begun: Course.Course,
  fails: (step: number, id: string) => boolean = () => false
): ReadonlyArray<JournalEvent> => {
  const events: Array<JournalEvent> = []
  let course = begun
  for (let step = 1; ; step++) {
    const drawn = Course.draw(course, step)
    if (drawn === undefined) return events
    const [batch, after] = drawn
    const outcomes = batch.questions.map((question_id, i) => ({
      question_id,
      scored: fails(step, question_id) ? 0 : 4,
      passed: fails(step, question_id) ? 0 : (step + i) % 5
    }))
    events.push({ _tag: "step_generated", step, updates: [], batch, outcomes, metrics: {} })
    course = Course.observe(after, outcomes)
  }
}
const questions = (events: ReadonlyArray<JournalEvent>) =>
  events.map((event) => (event._tag === "step_generated" ? (event.batch?.questions ?? []) : []))

const curricula: ReadonlyArray<CurriculumSpec["batcher"]> = [
  "gaussian",
  "uniform",
  "sorted",
  "adarft",
  "learnability",
  "bandit",
  "pools"
]

describe("the course of a run", () => {
  it.each(curricula)("of %s goes on from any finished step as if it had not been cut", (batcher) => {
    const begun = Course.begin(spec({ batcher }, 4), pool, seed)
    const whole = walk(begun, (step, id) => step === 2 && id === "q5")
    assert.lengthOf(whole, 4)
    for (let finished = 0; finished < whole.length; finished++) {
      const followed = Result.getOrThrow(Course.follow(begun, whole, finished))
      const [batch] = Course.draw(followed, finished + 1) ?? []
      assert.deepStrictEqual(batch?.questions, questions(whole)[finished])
    }
  })

  it("serves every question once, and one whose group could not be scored once more", () => {
    const begun = Course.begin(spec({ batcher: "gaussian" }), pool, seed)
    const ids = pool.map((row) => row.question_id)
    assert.sameMembers(questions(walk(begun)).flat(), ids)
    const returned = questions(walk(begun, (step, id) => step === 1 && id === questions(walk(begun))[0]?.[0])).flat()
    assert.sameMembers(returned, [...ids, questions(walk(begun))[0]?.[0] ?? ""])
  })

  it("ends although nothing can ever be scored", () => {
    assert.lengthOf(
      walk(Course.begin(spec({ batcher: "gaussian" }), pool, seed), () => true),
      8
    )
  })

  it("is not followed when the journal drew other questions", () => {
    const begun = Course.begin(spec({ batcher: "gaussian" }), pool, seed)
    const other = walk(Course.begin(spec({ batcher: "gaussian" }), pool, Seed.root(5)))
    const failed = Result.getOrThrow(Result.flip(Course.follow(begun, other, 2)))
    assert.strictEqual(failed.step, 1)
  })
})

describe("what came of a step", () => {
  it("counts passes by the pass mark, and a dropped group as not scored", () => {
    const weighed = weigh(
      manifest({ train: { advantage: "dr_grpo" } }),
      [group("a", [1, 0, null]), group("b", [1, null, null])],
      seed
    )
    assert.deepStrictEqual(Course.outcomesOf(weighed, 1), [
      { question_id: "a", scored: 2, passed: 1, advantage: 0.5 },
      { question_id: "b", scored: 0, passed: 0 }
    ])
  })
})
