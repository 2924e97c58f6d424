// `npm run bench`: every bench that needs no GPU, one after the other. Figures are for this machine; ratios are what compares.
import { spawnSync } from "node:child_process"

const BENCHES = [
  ["curriculum", "bench/curriculum.mjs"],
  ["equivalence of answers", "packages/rewards/bench/equivalence.ts"],
  ["rewards on published sets", "packages/rewards/bench/table.ts"],
  ["a million samples out of order", "packages/rewards/bench/order.ts"],
  ["reward server", "apps/server/bench/Throughput.ts"],
  ["viewer with 100,000 completions", "bench/viewer.mjs"],
  ["profile client", "apps/cli/bench/ProfileClient.ts"],
  ["profile killed and resumed", "bench/profile-kills.mjs"],
  ["profile at scale", "bench/profile-scale.mjs"],
  ["plan of 10,000 cells", "packages/sweep/bench/plan.ts"],
  ["what a cell costs beside its work", "packages/sweep/bench/overhead.ts"],
  ["200 cells under 20 kills", "packages/sweep/bench/kills.ts"],
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
