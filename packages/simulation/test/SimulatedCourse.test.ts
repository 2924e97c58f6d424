import { assert, describe, it } from "@effect/vitest"
import * as Seed from "@gradus/domain/Seed"
import { costOf } from "../src/ClusterCost.ts"
import type { SimulatedQuestion } from "../src/SimulatedAnswers.ts"
import { type Course, type CourseOutcome, simulateCourse } from "../src/SimulatedCourse.ts"

const questions = new Map<string, SimulatedQuestion>(
  Array.from({ length: 120 }, (_, i) => [`q${i}`, { gold: "1", thinking: "on", difficulty: -3 + i / 20 }])
)
const inBatches = (ids: ReadonlyArray<string>, size: number, seen: Array<CourseOutcome> = []): Course => {
  let next = 0
  return {
    draw: () => {
      const batch = ids.slice(next, next + size)
      next += size
      return batch.length === 0 ? undefined : batch
    },
    observe: (outcomes) => void seen.push(...outcomes)
  }
}
const options = { questions, samples: 8, steps: 99, seed: Seed.root(1), tokens: () => 100 }

describe("a simulated course", () => {
  it("asks what the course draws, tells it what came of it, and says that it is a simulation", () => {
    const seen: Array<CourseOutcome> = []
    const result = simulateCourse({ ...options, course: inBatches([...questions.keys()], 30, seen) })
    assert.isTrue(result.simulation)
    assert.deepStrictEqual(
      seen.map(({ question_id }) => question_id),
      [...questions.keys()]
    )
    assert.isTrue(seen.every(({ passed, scored }) => scored === 8 && passed >= 0 && passed <= 8))
    result.rows.forEach((row, t) => {
      const own = seen.slice(30 * t, 30 * t + 30)
      assert.closeTo(row.pass_rate, own.reduce((sum, { passed }) => sum + passed, 0) / 240, 1e-12)
      assert.strictEqual(row.silent_share, own.filter(({ passed }) => passed % 8 === 0).length / 30)
      assert.strictEqual(row.generated_tokens, 24_000)
      assert.strictEqual(row.trained_tokens, 800 * own.filter(({ passed }) => passed % 8 !== 0).length)
    })
    assert.isAbove(result.rows.at(-1)?.ability ?? NaN, 0)
  })

  it("is the same for the same seed and another for another", () => {
    const run = (seed: number) =>
      simulateCourse({ ...options, seed: Seed.root(seed), course: inBatches([...questions.keys()], 40) }).rows
    assert.deepStrictEqual(run(1), run(1))
    assert.notDeepEqual(run(1), run(2))
  })

  it("teaches nothing where all questions are far too easy or far too hard", () => {
    const far = new Map<string, SimulatedQuestion>([
      ["easy", { gold: "1", thinking: "on", difficulty: -60 }],
      ["hard", { gold: "1", thinking: "on", difficulty: 60 }]
    ])
    const { ability, rows } = simulateCourse({ ...options, questions: far, course: inBatches(["easy", "hard"], 2) })
    assert.strictEqual(rows[0]?.silent_share, 1)
    assert.isTrue(ability.knots.every((level) => level === 0))
  })

  it("names a question that it does not know", () => {
    assert.throws(() => simulateCourse({ ...options, course: inBatches(["nobody"], 1) }), "question nobody")
  })
})

describe("the cost on a cluster", () => {
  it("is tokens over rates, and overhead", () => {
    const cluster = {
      gpus: 10,
      generate_tokens_per_gpu_second: 100,
      train_tokens_per_gpu_second: 1000,
      overhead_seconds: 5
    }
    const rows = [
      { generated_tokens: 20_000, trained_tokens: 30_000 },
      { generated_tokens: 10_000, trained_tokens: 20_000 }
    ]
    assert.deepStrictEqual(costOf(rows, cluster), {
      generated_tokens: 30_000,
      trained_tokens: 50_000,
      seconds: 30 + 5 + 10,
      gpu_hours: 450 / 3600,
      generating_share: 30 / 45
    })
  })
})
