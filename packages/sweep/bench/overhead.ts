/**
 * `node packages/sweep/bench/overhead.ts [cells]`: what a cell costs a warm worker beside its own work. Cells of seconds with the real trainer, one after the other;
 * overhead is the time from the end of a cell to the end of the next, less the seconds of that cell's stages (profile and warm-up are found).
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const root = join(import.meta.dirname, "../../..")
const count = Number(process.argv[2] ?? 24)
const place = mkdtempSync(join(tmpdir(), "gradus-overhead-"))
const sweep = join(place, "overhead.sweep.yaml")
const sigmas = Array.from({ length: count }, (_, i) => 0.1 + i / 1000)
writeFileSync(
  sweep,
  `version: 1
name: overhead
base: ${join(root, "test/e2e/tiny.yaml")}
seeds: [1]
axes:
  - grid: {curriculum.sigma: [${sigmas.join(", ")}]}
set: {curriculum.batcher: gaussian, evaluate: {samples: 1, every: 0}}
`
)
const args = ["sweep", "run", sweep, "--runs", join(place, "runs"), "--json"]
const done = spawnSync(process.execPath, [join(root, "apps/cli/bin/gradus.mjs"), ...args], { encoding: "utf8" })
if (done.status !== 0) throw new Error(done.stderr)

const lines = (file: string): ReadonlyArray<any> =>
  readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
const cells = readdirSync(join(place, "runs"))
  .filter((name) => name.startsWith("cell--"))
  .map((name) => join(place, "runs", name))
  .map((dir) => {
    const ended = Date.parse(lines(join(dir, "attempts.ndjson")).at(-1).at)
    const own = lines(join(dir, "timings.ndjson")).reduce(
      (sum, { seconds }) => sum + (seconds.step ?? seconds.stage ?? 0),
      0
    )
    return { ended, own }
  })
  .toSorted((a, b) => a.ended - b.ended)
const overheads = cells
  .slice(1)
  .map(({ ended, own }, i) => (ended - (cells[i]?.ended ?? 0)) / 1000 - own)
  .toSorted((a, b) => a - b)
const at = (share: number) => Number((overheads[Math.floor(share * (overheads.length - 1))] ?? NaN).toFixed(3))
console.log(
  JSON.stringify({
    warmCells: overheads.length,
    ownSeconds: Number((cells.slice(1).reduce((sum, { own }) => sum + own, 0) / overheads.length).toFixed(3)),
    overheadSeconds: { least: at(0), median: at(0.5), greatest: at(1) }
  })
)
rmSync(place, { recursive: true, force: true })
