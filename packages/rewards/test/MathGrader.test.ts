import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { MathGrader } from "../src/service/MathGrader.ts"
import { type MathJob, mathJob } from "../src/service/MathJob.ts"

const job = (completion: string, gold: string): MathJob => mathJob("math_last", completion, [gold])
const grade = (jobs: ReadonlyArray<MathJob>) => MathGrader.use((grader) => grader.grade(jobs))
const right = { kind: "scored", value: 1 } as const
const wrong = { kind: "scored", value: 0 } as const
/** Threads start slowly on a busy machine. */
const PATIENCE = 60_000
const pool = { threads: 2, milliseconds: 5_000, megabytes: 128 }

/** Costs the reader's whole budget: thousands of visits of a sum that is written out. */
const costly = String.raw`\sum_{a=1}^{999}\sum_{b=1}^{999}\frac{1}{a+b+\sqrt{2}}`

describe("MathGrader", () => {
  it.live(
    "grades in order over threads and batches",
    () =>
      Effect.gen(function* () {
        const jobs = Array.from({ length: 300 }, (_, i) =>
          job(`It is $\\frac{${i}}{2}$.`, String(i % 3 === 0 ? i / 2 : -1))
        )
        const grades = yield* grade(jobs)
        assert.deepStrictEqual(
          grades.map(({ accuracy }) => accuracy),
          jobs.map((_, i) => (i % 3 === 0 ? right : wrong))
        )
        assert.strictEqual(grades[7]?.answer, "\\frac{7}{2}")
      }).pipe(Effect.provide(MathGrader.layer(pool))),
    PATIENCE
  )

  it.live(
    "says what the same rules say in this thread",
    () =>
      Effect.gen(function* () {
        const jobs = ["\\boxed{1/2}", "no answer", "<think>open", "x=3", costly].map((text) => job(text, "0.5"))
        const inThreads = yield* grade(jobs)
        const inline = yield* Effect.provide(grade(jobs), MathGrader.layerInline)
        assert.deepStrictEqual(inThreads, inline)
      }).pipe(Effect.provide(MathGrader.layer(pool))),
    PATIENCE
  )

  it.live(
    "ends an answer at the time limit, calls it wrong, and grades the others",
    () =>
      Effect.gen(function* () {
        // A limit below what anything takes: every answer that is still in work at a check is ended, none is lost.
        const jobs = [
          ...Array.from({ length: 3 }, () => job(costly, costly.replace("999", "998"))),
          job("\\boxed{2}", "2")
        ]
        const grades = yield* grade(jobs)
        assert.strictEqual(grades.length, 4)
        assert.isAbove(grades.filter(({ limit }) => limit === "time").length, 0)
        for (const { accuracy } of grades.slice(0, 3)) assert.deepStrictEqual(accuracy, wrong)
        const last = grades[3]
        assert.deepStrictEqual(last?.accuracy, last?.limit === "time" ? wrong : right)
      }).pipe(Effect.provide(MathGrader.layer({ ...pool, milliseconds: 2 }))),
    PATIENCE
  )

  it.live(
    "reads only the end of a completion that no thread could hold, and grades the others",
    () =>
      Effect.gen(function* () {
        const huge = "1".repeat(48_000_000)
        const grades = yield* grade([job("\\boxed{1}", "1"), job(huge, "1"), job("\\boxed{2}", "2")])
        assert.deepStrictEqual(
          grades.map(({ accuracy, limit }) => [accuracy, limit]),
          [
            [right, undefined],
            [wrong, undefined],
            [right, undefined]
          ]
        )
      }).pipe(Effect.provide(MathGrader.layer({ ...pool, threads: 1, megabytes: 64 }))),
    PATIENCE
  )

  it.live(
    "calls an answer wrong whose thread runs out of memory",
    () =>
      Effect.gen(function* () {
        // So little that the thread's own code does not fit: every answer meets the limit.
        const grades = yield* grade([job("\\boxed{1}", "1"), job("\\boxed{2}", "2")])
        assert.deepStrictEqual(
          grades.map(({ accuracy, limit }) => [accuracy, limit]),
          [
            [wrong, "memory"],
            [wrong, "memory"]
          ]
        )
      }).pipe(Effect.provide(MathGrader.layer({ ...pool, threads: 1, megabytes: 6 }))),
    PATIENCE
  )

  it.live(
    "ends with an interruption and serves the next call",
    () =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(grade(Array.from({ length: 60 }, () => job(costly, "1"))), {
          startImmediately: true
        })
        yield* Fiber.interrupt(fiber)
        const [graded] = yield* grade([job("\\boxed{2}", "2")])
        assert.deepStrictEqual(graded?.accuracy, right)
      }).pipe(Effect.provide(MathGrader.layer({ ...pool, threads: 1 }))),
    PATIENCE
  )

  it.effect(
    "grades nothing without a thread",
    () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* grade([]), [])
      }).pipe(Effect.provide(MathGrader.layer(pool))),
    PATIENCE
  )
})
