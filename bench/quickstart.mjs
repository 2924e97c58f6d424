// Bench: the quickstart as its user has it. Seconds, peak memory of all its processes, the orchestrator's own share of a step, the rise.
// usage: node bench/quickstart.mjs [SEED]...     one line of JSON a seed; a fresh runs directory each time
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const children = () => {
  const parents = new Map()
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      // the name may hold spaces and brackets; what follows its last bracket does not
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
      parents.set(Number(pid), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]))
    } catch {
      // gone since
    }
  }
  return parents
}

/** Sums the proportional set size of a process and its descendants, in bytes. */
const memory = (root) => {
  const parents = children()
  const isOurs = (pid) => pid === root || (parents.has(pid) && isOurs(parents.get(pid)))
  let sum = 0
  for (const pid of parents.keys()) {
    if (!isOurs(pid)) continue
    try {
      sum += 1024 * Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))[1])
    } catch {
      // gone since, or not ours to read
    }
  }
  return sum
}

const measure = async (seed) => {
  const runs = mkdtempSync(join(tmpdir(), "gradus-bench-"))
  const args = ["run", "experiments/quickstart/manifest.yaml", "-s", `seed=${seed}`, "--runs", runs, "--json"]
  const started = performance.now()
  const child = spawn(process.execPath, ["apps/cli/bin/gradus.mjs", ...args], { stdio: ["ignore", "pipe", "ignore"] })
  let out = ""
  child.stdout.on("data", (data) => (out += data))
  let peak = 0
  const timer = existsSync("/proc/self/smaps_rollup")
    ? setInterval(() => (peak = Math.max(peak, memory(child.pid))), 1000)
    : undefined
  const code = await new Promise((resolve) => child.once("close", resolve))
  clearInterval(timer)
  const wall = (performance.now() - started) / 1000
  if (code !== 0) throw new Error(`seed ${seed}: exit ${code}`)
  const summary = JSON.parse(out.trim().split("\n").at(-1))
  const steps = readFileSync(join(summary.dir, "timings.ndjson"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter((row) => row.stage === "train")
  const total = (name) => steps.reduce((sum, row) => sum + (row.seconds[name] ?? 0), 0)
  // a reading or a checkpoint is no part of a step's own work
  const step = total("step") - total("evaluate") - total("checkpoint")
  rmSync(runs, { recursive: true, force: true })
  return {
    seed,
    seconds: Number(wall.toFixed(1)),
    peak_mib: peak === 0 ? null : Math.round(peak / 2 ** 20),
    step_seconds: Number((step / steps.length).toFixed(3)),
    orchestrator_share: Number(((step - total("generate") - total("update")) / step).toFixed(4)),
    eval: summary.eval,
    digest: summary.digest
  }
}

for (const seed of process.argv.length > 2 ? process.argv.slice(2) : ["0"])
  console.log(JSON.stringify(await measure(Number(seed))))
