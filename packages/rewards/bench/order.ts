/** Scores a million samples in shuffled batches with a judge that fails and answers out of order: `node packages/rewards/bench/order.ts [samples]`. */
import * as Effect from "effect/Effect"
import { misplaced } from "./ScoreOrder.ts"

const samples = Number(process.argv[2] ?? 1_000_000)
const begun = performance.now()
const wrong = await Effect.runPromise(misplaced(samples, 1_152, 1))
const seconds = (performance.now() - begun) / 1000
process.stdout.write(`${samples} samples, ${wrong} rewards at another sample, ${seconds.toFixed(1)} s\n`)
process.exitCode = wrong === 0 ? 0 : 1
