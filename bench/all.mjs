// `npm run bench`: every bench that needs no GPU, one after the other. Figures are for this machine; ratios are what compares.
import { spawnSync } from "node:child_process"

const BENCHES = [
  ["planning", "packages/curriculum/bench/plan.ts"],
  ["adaptive batchers", "packages/curriculum/bench/adaptive.ts"],
  ["equivalence of answers", "packages/rewards/bench/equivalence.ts"],
  ["reward server", "apps/server/bench/Throughput.ts"],
  ["quickstart", "bench/quickstart.mjs"]
]
const failed = BENCHES.filter(([title, file]) => {
  console.log(`\n== ${title}: node ${file}`)
  return spawnSync(process.execPath, [file], { stdio: "inherit" }).status !== 0
})
if (failed.length > 0) {
  console.error(`failed: ${failed.map(([title]) => title).join(", ")}`)
  process.exit(1)
}
