// Bench: planning, the batchers that learn, a simulated schedule of the paper's size, each beside its budget. Seconds are processor time.
// usage: node bench/curriculum.mjs [FILE]     one JSON object on standard output, and in FILE; exit 1 where a budget is not met
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { cpus, tmpdir, totalmem } from "node:os"
import { join } from "node:path"

const node = ["--expose-gc", "--max-old-space-size=8000"]

/** Runs a program to its end and gives its lines of JSON. */
const run = async (...args) => {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] })
  let out = ""
  child.stdout.on("data", (data) => (out += data))
  const code = await new Promise((resolve) => child.once("close", resolve))
  if (code !== 0) throw new Error(`${args.join(" ")}: exit ${code}`)
  return out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
}

const paper = `version: 1
name: paper-size
questions: {kind: sorting, train: 72000, heldout: 200, hard: 100, letters: {min: 4, max: 9}, hard_letters: [10]}
prompt: {template: "{mode}{question}", mode: {on: "+", off: "-"}}
policy: {kind: huggingface, path: policy}
sampling: {max_tokens: 16384}
train: {steps: 500, prompts_per_step: 72, samples_per_prompt: 16, learning_rate: {peak: 9.0e-7}}
`

const schedule = async () => {
  const directory = mkdtempSync(join(tmpdir(), "gradus-bench-"))
  try {
    const file = join(directory, "paper.yaml")
    writeFileSync(file, paper)
    const before = performance.now()
    const [result] = await run("apps/cli/bin/gradus.mjs", "simulate", file, "--schedule", "--json")
    return { result, wall: (performance.now() - before) / 1000 }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const plans = await run(...node, "packages/curriculum/bench/plan.ts")
const adaptive = await run("packages/curriculum/bench/adaptive.ts")
const { result, wall } = await schedule()

const plan = (questions, size) => plans.find((row) => row.questions === questions && row.prompts_per_step === size)
const [one, ten] = [plan(1_000_000, 128), plan(10_000_000, 128)]
const budgets = [
  [
    "plan of 1M questions, seconds",
    Math.max(...plans.filter((row) => row.questions === 1_000_000).map((row) => row.cpu_seconds)),
    1
  ],
  ["plan of 10M questions, seconds", ten.cpu_seconds, 10],
  // linear but for the sort of ids: log 10M / log 1M is 1.17, and what does not fit the cache is slower
  ["nanoseconds a question, 10M over 1M", ten.nanoseconds_a_question / one.nanoseconds_a_question, 2],
  [
    "bytes a question, most of all",
    Math.max(...plans.map((row) => Math.max(row.bytes_a_question, row.bytes_a_question_making))),
    200
  ],
  ...adaptive.map((row) => [`draw + observe of ${row.batcher}, ms`, row.cpu_ms, 1]),
  ["schedule of 72 x 16 over 500 steps, seconds of wall time", wall, 60]
].map(([what, measured, budget]) => ({ what, measured: Number(measured.toFixed(3)), budget, met: measured <= budget }))

const report = {
  hardware: `${cpus().length} cores of ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, no GPU`,
  node: process.version,
  command: "node bench/curriculum.mjs",
  note: "processor seconds of all threads, garbage collection too, on a machine that others use at the same time; the schedule's are wall seconds",
  budgets,
  plans,
  adaptive,
  schedule: {
    steps: result.steps.length,
    completions: result.predicted.completions,
    wall_seconds: Number(wall.toFixed(2))
  }
}
const text = `${JSON.stringify(report, null, 2)}\n`
process.stdout.write(text)
if (process.argv[2] !== undefined) writeFileSync(process.argv[2], text)
if (budgets.some(({ met }) => !met)) process.exitCode = 1
