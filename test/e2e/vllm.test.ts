/** Generation by a server in vLLM's manner: the run publishes each version to it first, and goes on after a publish that failed. */
import { assert, it } from "@effect/vitest"
import { trainerFolder, trainerPython } from "@gradus/testing/TrainerPython"
import { type ChildProcess, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll } from "vitest"
import { directory, gradus, lastLine, root, until } from "../gradus.ts"

const engines = new Set<ChildProcess>()
afterAll(() => {
  for (const engine of engines) engine.kill("SIGKILL")
})

/** Starts an engine that reloads weights from a directory and samples from them; reloads `from` to `to` fail. */
const engine = async (from: number, to: number) => {
  const child = spawn(trainerPython(), ["-m", "tests.loopback_engine", String(from), String(to)], {
    cwd: trainerFolder,
    env: { ...process.env, PYTHONPATH: join(trainerFolder, "src"), OMP_NUM_THREADS: "1" },
    stdio: ["ignore", "pipe", "inherit"]
  })
  engines.add(child)
  let said = ""
  child.stdout?.on("data", (data) => (said += String(data)))
  await until("the engine said where it is", () => said.includes("\n"))
  const lines = () => said.trimEnd().split("\n")
  return { url: lines()[0] ?? "", calls: () => lines().slice(1) }
}

const events = (dir: string): ReadonlyArray<any> =>
  readFileSync(join(dir, "events.ndjson"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))

it("publishes every version before it is sampled, and goes on after a publish that failed", async () => {
  // the trainer's client tries four times: the third version cannot be published
  const { calls, url } = await engine(3, 6)
  const generator = { kind: "vllm", urls: [url], model: "served", transport: "directory", directory: directory() }
  const settings = ["-s", `generator=${JSON.stringify(generator)}`]
  const args = ["run", join(root, "test/e2e/tiny.yaml"), ...settings, "--no-report", "--json"]
  const runs = directory()
  const failed = await gradus(...args, "--runs", runs)
  assert.notStrictEqual(failed.code, 0)
  assert.include(failed.stderr, "publish_failed")
  assert.include(failed.stderr, `${url} at update: POST /collective_rpc answered 500`)
  // it was left paused, and nothing was asked of it any more
  const before = calls()
  assert.strictEqual(before.at(-1), "/pause?mode=abort")
  assert.isBelow(before.lastIndexOf("/v1/completions"), before.indexOf("/pause?mode=abort"))

  const summary = lastLine(await gradus(...args, "--runs", runs))
  assert.strictEqual(summary.steps, 6)
  const applied = events(summary.dir).filter((event) => event._tag === "update_applied" && event.applied)
  assert.isAbove(applied.length, 2)
  // what was trained on was sampled from the very weights that were trained: both compute in FP32 here
  for (const { metrics } of applied) assert.isBelow(metrics["sampler_gap/max_abs"], 1e-3)
  const reloads = calls().filter((call) => call === "/collective_rpc").length
  // a version each, the start included, and four that failed; the second process proves its first version anew
  assert.isAtLeast(reloads, applied.length + 1 + 4)
  assert.isAtMost(reloads, applied.length + 2 + 4)
})
