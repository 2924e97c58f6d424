/** Times planning in process: `node packages/curriculum/bench/plan.ts`. One line a size and batch size; seconds are the best of three. */
import * as Seed from "@gradus/domain/Seed"
import { plan } from "../src/Plan.ts"

const seconds = (questions: number, promptsPerStep: number): number => {
  const stream = Seed.stream(Seed.root(questions))
  const pool = Array.from({ length: questions }, (_, i) => ({
    question_id: `train-${String(i).padStart(6, "0")}`,
    passed: stream.below(6),
    scored: 8
  }))
  const spec = { batcher: "gaussian", sigma: 0.12, centre: "linear", last_batch: "partial" } as const
  const times = [0, 1, 2].map(() => {
    const begun = performance.now()
    const { batches } = plan({ pool, spec, promptsPerStep, seed: Seed.root(1) })
    const took = (performance.now() - begun) / 1000
    const planned = batches.reduce((sum, batch) => sum + batch.questions.length, 0)
    if (planned !== questions) throw new Error(`${planned} of ${questions} questions were planned`)
    return took
  })
  return Math.min(...times)
}

for (const promptsPerStep of [32, 128, 1024]) {
  for (const questions of [250_000, 500_000, 1_000_000]) {
    const took = seconds(questions, promptsPerStep)
    const each = ((took / questions) * 1e9).toFixed(0)
    process.stdout.write(
      `${questions} questions, ${promptsPerStep} a step: ${took.toFixed(3)} s, ${each} ns a question\n`
    )
  }
}
