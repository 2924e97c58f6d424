/**
 * Times planning in process and weighs its memory: `node --expose-gc --max-old-space-size=8000 packages/curriculum/bench/plan.ts [questions ...]`.
 * One line of JSON a size and batch size: seconds of processor time (best of two, all threads: wall time would measure who else is on the machine),
 * nanoseconds a question, and bytes a question beside the pool that is given: while the plan is made (its first batch drawn) and when it stands.
 */
import type { RatedQuestion } from "@gradus/domain/Profile"
import * as Seed from "@gradus/domain/Seed"
import { plan } from "../src/Plan.ts"

const poolOf = (questions: number): Array<RatedQuestion> => {
  const stream = Seed.stream(Seed.root(questions))
  return Array.from({ length: questions }, (_, i) => ({
    question_id: `train-${String(i).padStart(8, "0")}`,
    passed: stream.below(6),
    scored: 8
  }))
}

const held = (): number => {
  globalThis.gc?.()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const spec = { batcher: "gaussian", sigma: 0.12, centre: "linear", last_batch: "partial" } as const

const measure = (pool: ReadonlyArray<RatedQuestion>, promptsPerStep: number) => {
  const before = held()
  let best = Infinity
  let bytes = NaN
  let making = NaN
  for (let run = 0; run < 2; run++) {
    const begun = process.cpuUsage()
    const { batches } = plan({ pool, spec, promptsPerStep, seed: Seed.root(1) })
    const { system, user } = process.cpuUsage(begun)
    best = Math.min(best, (user + system) / 1e6)
    bytes = (held() - before) / pool.length
    const planned = batches.reduce((sum, batch) => sum + batch.questions.length, 0)
    if (planned !== pool.length) throw new Error(`${planned} of ${pool.length} questions were planned`)
  }
  const watch = ({ batch }: { readonly batch: number }): void => {
    if (batch === 1) making = (held() - before) / pool.length
  }
  plan({ pool, spec, promptsPerStep, seed: Seed.root(1), steps: 2 }, watch)
  return { seconds: best, bytes, making }
}

const sizes = process.argv.slice(2).map(Number)
for (const questions of sizes.length > 0 ? sizes : [250_000, 1_000_000, 10_000_000]) {
  const pool = poolOf(questions)
  for (const promptsPerStep of questions > 4_000_000 ? [128] : [32, 128, 1024]) {
    const { bytes, making, seconds } = measure(pool, promptsPerStep)
    const weighed = globalThis.gc !== undefined
    const line = {
      questions,
      prompts_per_step: promptsPerStep,
      cpu_seconds: Number(seconds.toFixed(3)),
      nanoseconds_a_question: Math.round((seconds / questions) * 1e9),
      bytes_a_question_making: weighed ? Math.round(making) : null,
      bytes_a_question: weighed ? Math.round(bytes) : null
    }
    process.stdout.write(`${JSON.stringify(line)}\n`)
  }
}
