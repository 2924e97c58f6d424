/** `node packages/sweep/bench/kills.ts [kills]`: 200 simulated cells under 20 kills against 200 that were left alone. Takes minutes. */
import { rmSync } from "node:fs"
import { join } from "node:path"
import { prepare, underKills } from "../test/kills.ts"

const kills = Number(process.argv[2] ?? 20)
const { file, root } = prepare(20, 10)
const began = performance.now()
const whole = await underKills(file, join(root, "whole"), [])
const between = performance.now()
// generations that fall into profiles, evaluations and steps alike
const cut = await underKills(
  file,
  join(root, "cut"),
  Array.from({ length: kills }, (_, i) => 3 + ((i * 37) % 61)),
  2
)
const equal = JSON.stringify(whole.metrics) === JSON.stringify(cut.metrics)
const { metrics: _, ...counts } = cut
console.log(
  JSON.stringify({
    cells: whole.finished,
    ...counts,
    equal,
    seconds: { whole: (between - began) / 1000, cut: (performance.now() - between) / 1000 }
  })
)
rmSync(root, { recursive: true, force: true })
if (!equal || cut.repeated > 0 || cut.finished !== 200) process.exitCode = 1
