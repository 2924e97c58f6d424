/**
 * Times planning in process and weighs its memory: `node --expose-gc packages/curriculum/bench/plan.ts [questions ...]`.
 * One line a size and batch size: seconds (best of two), nanoseconds a question, and bytes a question that the plan needs beside the
 * pool that it is given (heap and array buffers held when the plan stands; the ids are the pool's own).
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
  for (let run = 0; run < 2; run++) {
    const begun = performance.now()
    const { batches } = plan({ pool, spec, promptsPerStep, seed: Seed.root(1) })
    best = Math.min(best, (performance.now() - begun) / 1000)
    bytes = (held() - before) / pool.length
    const planned = batches.reduce((sum, batch) => sum + batch.questions.length, 0)
    if (planned !== pool.length) throw new Error(`${planned} of ${pool.length} questions were planned`)
  }
  return { seconds: best, bytes }
}

const sizes = process.argv.slice(2).map(Number)
for (const questions of sizes.length > 0 ? sizes : [250_000, 1_000_000, 4_000_000]) {
  const pool = poolOf(questions)
  for (const promptsPerStep of [32, 128, 1024]) {
    const { bytes, seconds } = measure(pool, promptsPerStep)
    const each = ((seconds / questions) * 1e9).toFixed(0)
    const memory =
      globalThis.gc === undefined ? "memory not measured (--expose-gc)" : `${bytes.toFixed(0)} bytes a question`
    process.stdout.write(
      `${questions} questions, ${promptsPerStep} a step: ${seconds.toFixed(3)} s, ${each} ns a question, ${memory}\n`
    )
  }
}
