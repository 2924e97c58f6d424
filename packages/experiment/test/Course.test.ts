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
  fails: (step: number, id: string) => boolean = () => false,
  first = 1
): ReadonlyArray<JournalEvent> => {
  const events: Array<JournalEvent> = []
  let course = begun
  for (let step = first; ; step++) {
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

  it.each([
    ["each of its epochs", { batcher: "gaussian", epochs: 3, reuse: true }, 12],
    ["epochs that share the pool", { batcher: "gaussian", epochs: 3 }, 4],
    ["one pass of what draws with replacement", { batcher: "e2h_gaussian" }, 4],
    ["one pass of what learns from outcomes", { batcher: "learnability" }, 4]
  ])("serves %s where no steps are stated, and its learning rate spans that", (_, curriculum, steps) => {
    const begun = Course.begin(spec(curriculum), pool, seed)
    assert.lengthOf(walk(begun), steps)
    assert.strictEqual(begun.expected, steps)
  })

  it.each([
    ["e2h_gaussian", {}, 9, 9],
    ["gaussian", { epochs: 3, reuse: true }, 9, 9],
    ["gaussian", {}, 9, 4]
  ])("of %s %j spans the steps that are stated as far as it lasts", (batcher, more, steps, expected) => {
    const begun = Course.begin(spec({ batcher, ...more }, steps), pool, seed)
    assert.strictEqual(begun.expected, expected)
    assert.lengthOf(walk(begun), expected)
  })

  it.each([
    ["what draws with replacement", { batcher: "learnability" }, 4],
    ["several epochs", { batcher: "gaussian", epochs: 3, reuse: true }, 12],
    ["a pass of questions that can never be scored", { batcher: "gaussian" }, 8]
  ])("of %s does not grow by refreshes", (_, curriculum, steps) => {
    let course = Course.begin(spec(curriculum), pool, seed)
    for (let step = 1; step <= steps; step++) {
      const [, drawn] = Course.draw(course, step) ?? assert.fail(`ends before step ${step}`)
      course = Course.refreshed(drawn, pool, [], step)
    }
    assert.isUndefined(Course.draw(course, steps + 1))
  })

  it("is not followed when the journal drew other questions", () => {
    const begun = Course.begin(spec({ batcher: "gaussian" }), pool, seed)
    const other = walk(Course.begin(spec({ batcher: "gaussian" }), pool, Seed.root(5)))
    const failed = Result.getOrThrow(Result.flip(Course.follow(begun, other, 2)))
    assert.strictEqual(failed.step, 1)
  })
})

describe("a course that begins anew", () => {
  const left = pool.slice(3)
  const measured = left.map(({ question_id }, i) => ({ question_id, passed: i === 0 ? 8 : 4, scored: i === 1 ? 0 : 8 }))

  it("serves what is left by its new rates, once each, without what is too easy now", () => {
    const course = Course.refreshed(Course.begin(spec({ batcher: "gaussian" }), pool, seed), left, measured, 1)
    const served = questions(walk(course, undefined, 2)).flat()
    assert.sameMembers(
      served,
      left.slice(1).map((row) => row.question_id)
    )
    const [batch] = Course.draw(course, 2) ?? []
    assert.closeTo(batch?.achievedMean ?? 0, 0.5, 0.01)
  })

  it("holds the stated ratios among the domains that are left, however few", () => {
    const domains = ["code", "maths", "rare"]
    const all = pool.map((row, i) => ({ ...row, domain: domains[i % 3] ?? "" }))
    const stated = spec({ batcher: "gaussian", domain_ratios: { code: 1, maths: 2, rare: 0 } })
    const begun = Course.begin(stated, all, seed)
    for (const names of [["code", "maths"], ["maths"], ["rare"]]) {
      const rest = all.filter(({ domain }) => names.includes(domain))
      const served = questions(walk(Course.refreshed(begun, rest, [], 1), undefined, 2))
      assert.sameMembers(
        served.flat(),
        rest.map((row) => row.question_id)
      )
    }
    const [batch] = Course.draw(Course.refreshed(begun, all.slice(0, 6), [], 1), 2) ?? []
    const maths = new Set(all.flatMap(({ domain, question_id }) => (domain === "maths" ? [question_id] : [])))
    assert.strictEqual(batch?.questions.filter((id) => maths.has(id)).length, 2)
  })

  it("keeps to the steps that are left, and to the learning rate's schedule", () => {
    const begun = Course.begin(spec({ batcher: "gaussian" }, 3), pool, seed)
    const course = Course.refreshed(begun, left, measured, 1)
    assert.lengthOf(walk(course, undefined, 2), 2)
    assert.strictEqual(course.expected, begun.expected)
  })

  it("is deterministic, and another one after another step", () => {
    const at = (step: number) =>
      questions(
        walk(
          Course.refreshed(Course.begin(spec({ batcher: "uniform" }), pool, seed), left, measured, step),
          undefined,
          2
        )
      )
    assert.deepStrictEqual(at(1), at(1))
    assert.notDeepEqual(at(1), at(0))
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
