/**
 * Grades mathematics in a pool of threads, so that no answer holds up the run: whoever passes the time or memory limit is wrong, its thread is
 * replaced, and the other answers of its batch are graded by the next one.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import { availableParallelism } from "node:os"
import { doJob, type MathGrade, type MathJob } from "./MathJob.ts"
import { type MathLimits, MathThread } from "./MathThread.ts"

export interface MathPool extends MathLimits {
  readonly threads: number
}

/**
 * The reader's own limits end every answer within milliseconds and always at the same place; the time limit is the net below them. It is far
 * above that, so that a busy machine does not decide who is right. A thread starts with some 40 MB.
 */
export const defaultPool = (): MathPool => ({
  threads: Math.max(1, Math.min(4, availableParallelism() - 1)),
  milliseconds: 2_000,
  megabytes: 256
})

/** Answers that a thread is given at once. */
const BATCH = 64

const wrong = (limit: "time" | "memory"): MathGrade => ({ answer: null, accuracy: { kind: "scored", value: 0 }, limit })

/** Threads that are free; those that ended are forgotten. */
class Threads {
  readonly #free: Array<MathThread> = []
  readonly #limits: MathLimits

  constructor(limits: MathLimits) {
    this.#limits = limits
  }

  take(): MathThread {
    return this.#free.pop() ?? new MathThread(this.#limits)
  }

  give(thread: MathThread): void {
    if (!thread.ended) this.#free.push(thread)
  }

  async end(): Promise<void> {
    await Promise.all(this.#free.map((thread) => thread.end()))
  }
}

/**
 * Grades jobs on one thread after another until all have a grade. Memory runs out in a thread, not in an answer: where it does with several
 * answers at hand, they are given one by one to find the one that needs it. A thread that breaks for another reason is a defect.
 */
const gradeBatch = (threads: Threads, jobs: ReadonlyArray<MathJob>): Effect.Effect<ReadonlyArray<MathGrade>> =>
  Effect.gen(function* () {
    const grades: Array<MathGrade> = []
    let atOnce = jobs.length
    while (grades.length < jobs.length) {
      const given = jobs.slice(grades.length, grades.length + atOnce)
      const end = yield* Effect.acquireUseRelease(
        Effect.sync(() => threads.take()),
        (thread) => Effect.promise(() => thread.grade(given)),
        (thread, exit) =>
          exit._tag === "Success" ? Effect.sync(() => threads.give(thread)) : Effect.promise(() => thread.end())
      )
      grades.push(...end.grades)
      if (end.limit === "time" || (end.limit === "memory" && given.length === 1)) grades.push(wrong(end.limit))
      if (end.limit === "memory") atOnce = 1
    }
    return grades
  })

const batches = (jobs: ReadonlyArray<MathJob>): ReadonlyArray<ReadonlyArray<MathJob>> =>
  Array.from({ length: Math.ceil(jobs.length / BATCH) }, (_, i) => jobs.slice(i * BATCH, (i + 1) * BATCH))

/** Takes mathematical answers and compares them with truths, in order. It never fails. */
export class MathGrader extends Context.Service<
  MathGrader,
  { readonly grade: (jobs: ReadonlyArray<MathJob>) => Effect.Effect<ReadonlyArray<MathGrade>> }
>()("@gradus/rewards/MathGrader") {
  /** Grades in threads, which are started when first needed and ended with the layer's scope. */
  static readonly layer = (pool: MathPool = defaultPool()): Layer.Layer<MathGrader> =>
    Layer.effect(
      MathGrader,
      Effect.gen(function* () {
        const threads = yield* Effect.acquireRelease(
          Effect.sync(() => new Threads(pool)),
          (all) => Effect.promise(() => all.end())
        )
        const places = yield* Semaphore.make(pool.threads)
        const grade = Effect.fn("MathGrader.grade")(function* (jobs: ReadonlyArray<MathJob>) {
          const graded = yield* Effect.forEach(
            batches(jobs),
            (batch) => Semaphore.withPermit(places, gradeBatch(threads, batch)),
            { concurrency: "unbounded" }
          )
          return graded.flat()
        })
        return { grade }
      })
    )

  /** Grades in this thread: for specs without mathematics, whose threads would never be used. No time limit but the reader's own. */
  static readonly layerInline: Layer.Layer<MathGrader> = Layer.succeed(MathGrader, {
    grade: (jobs) => Effect.sync(() => jobs.map(doJob))
  })
}
