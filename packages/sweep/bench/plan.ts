/** `node packages/sweep/bench/plan.ts`: the plan of 10,000 cells, 1,000 drawn arms x 10 seeds on the quickstart's base. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import { planSweep } from "../src/Plan.ts"

const root = mkdtempSync(join(tmpdir(), "gradus-plan-"))
const base = relative(root, new URL("../../../experiments/quickstart/manifest.yaml", import.meta.url).pathname)
const file = join(root, "sweep.yaml")
writeFileSync(
  file,
  `version: 1
name: plan
base: ${base}
seeds: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
axes:
  - random: {draws: 1000, parameters: {train.learning_rate.peak: {log_uniform: [0.0001, 0.1]}}}
`
)
const began = performance.now()
const { plan } = await Effect.runPromise(Effect.provide(planSweep(file), NodeServices.layer))
const seconds = (performance.now() - began) / 1000
console.log(JSON.stringify({ cells: plan.cells.length, shared: plan.shared.length, digest: plan.digest, seconds }))
rmSync(root, { recursive: true, force: true })
