/** Times draw + observe of the batchers that learn: `node packages/curriculum/bench/adaptive.ts`. One line of JSON a batcher: milliseconds a step, median and 95th percentile of wall time, and mean processor time of all threads (the collector's too), which others on the machine inflate least. */
import * as Seed from "@gradus/domain/Seed"
import type { Batcher, DrawOptions } from "../src/Batcher.ts"
import { adarft } from "../src/batchers/AdaRft.ts"
import { balanced } from "../src/batchers/Balanced.ts"
import { bandit } from "../src/batchers/Bandit.ts"
import { e2hGaussian } from "../src/batchers/E2hGaussian.ts"
import { learnability } from "../src/batchers/Learnability.ts"
import { pools } from "../src/batchers/Pools.ts"

const questions = Number(process.argv[2] ?? 100_000)
const steps = 300
const stream = Seed.stream(Seed.root(1))
const pool = Array.from({ length: questions }, (_, i) => ({
  question_id: `train-${String(i).padStart(6, "0")}`,
  passed: stream.below(9),
  scored: 8
}))
const options: DrawOptions = { promptsPerStep: 1024, lastBatch: "partial", steps, seed: Seed.root(2) }

const time = <State, O extends DrawOptions>(
  name: string,
  batcher: Batcher<State, O>,
  own: Omit<O, keyof DrawOptions>
): void => {
  let state = batcher.init(pool, { ...options, ...own } as O)
  const times: Array<number> = []
  let spent = 0
  for (let t = 0; t < steps; t++) {
    const cpu = process.cpuUsage()
    const begun = performance.now()
    const drawn = batcher.draw(state)
    if (drawn === undefined) throw new Error(`${name} has nothing left at step ${t}`)
    const middle = performance.now() - begun
    const first = process.cpuUsage(cpu)
    const outcomes = drawn[0].questions.map((question_id) => ({ question_id, scored: 16, passed: stream.below(17) }))
    const cpuAgain = process.cpuUsage()
    const again = performance.now()
    state = batcher.observe(drawn[1], outcomes)
    times.push(middle + performance.now() - again)
    const second = process.cpuUsage(cpuAgain)
    if (t >= 20) spent += first.user + first.system + second.user + second.system
  }
  times.splice(0, 20)
  times.sort((a, b) => a - b)
  const at = (share: number): number => Number((times[Math.floor(times.length * share)] ?? NaN).toFixed(3))
  const line = {
    batcher: name,
    questions,
    prompts_per_step: options.promptsPerStep,
    cpu_ms: Number((spent / (steps - 20) / 1000).toFixed(3)),
    wall_ms: at(0.5),
    wall_ms_95: at(0.95)
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

time("e2h_gaussian", e2hGaussian, {})
time("adarft", adarft, {})
time("bandit", bandit, {})
time("learnability", learnability, {})
time("balanced", balanced, {})
time("pools", pools, {})
