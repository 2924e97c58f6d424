/** A sweep where a scheduler starts it: the array job that we write, run as `sbatch` would run its tasks, and workers that are each given a GPU. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { directory, gradus, lastLine, root, startProgram, until } from "../gradus.ts"

const study = join(root, "experiments/studies/curriculum/smoke.sweep.yaml")
const python = join(root, "apps/trainer/.venv/bin/python")

/** A task of an array job: its script under `sh`, with what Slurm puts into its environment. `scontrol` writes down what it is asked for: no Slurm runs here. */
const task = (place: string, script: string, index: number) => {
  const child = spawn("sh", [script], {
    cwd: place,
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      PATH: `${place}:${process.env["PATH"]}`,
      SLURM_ARRAY_JOB_ID: "7",
      SLURM_ARRAY_TASK_ID: String(index)
    }
  })
  let stdout = ""
  child.stdout.on("data", (data) => (stdout += String(data)))
  const ended = new Promise<{ code: number | null; stdout: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, stdout }))
  )
  return { child, ended }
}

const executable = (file: string, text: string) => {
  writeFileSync(file, text)
  chmodSync(file, 0o755)
  return file
}

describe("gradus sweep under a scheduler", () => {
  it("tasks of the written array job do all cells between them; one whose time is up gives its cell back and asks to be queued again", async () => {
    const place = directory()
    const runs = join(place, "runs")
    const { script } = lastLine(await gradus("sweep", "slurm", study, "--tasks", "2", "--runs", runs, "--json"))
    const file = executable(join(place, "job.sh"), script)
    executable(join(place, "scontrol"), `#!/bin/sh\necho "$@" >> '${join(place, "asked")}'\n`)
    const cells = () => (existsSync(runs) ? readdirSync(runs).filter((name) => name.startsWith("cell--")) : [])
    const first = task(place, file, 0)
    await until("a cell has begun", () => cells().some((cell) => existsSync(join(runs, cell, "events.ndjson"))))
    first.child.kill("SIGTERM")
    assert.strictEqual((await first.ended).code, 0)
    assert.strictEqual(readFileSync(join(place, "asked"), "utf8"), "requeue 7_0\n")
    const both = await Promise.all([0, 1].map((index) => task(place, file, index).ended))
    const told = both.map(({ code, stdout }) => {
      assert.strictEqual(code, 0, stdout)
      return JSON.parse(stdout.trim().split("\n").at(-1) ?? "")
    })
    for (const { failed } of told) assert.strictEqual(failed, 0)
    assert.strictEqual(
      told.reduce((sum, { ran }) => sum + ran, 0),
      2
    )
    const { cells: planned, finished } = lastLine(await gradus("sweep", "status", study, "--runs", runs, "--json"))
    assert.deepStrictEqual([planned, finished, cells().length], [2, 2, 2])
  })

  it("gives each worker a GPU of its own", async () => {
    const place = directory()
    const sweep = join(place, "two.sweep.yaml")
    writeFileSync(
      sweep,
      readFileSync(study, "utf8").replace("base: smoke.yaml", `base: ${join(root, "test/e2e/tiny.yaml")}`)
    )
    const seen = join(place, "seen")
    const wrapper = executable(
      join(place, "python"),
      `#!/bin/sh\necho "$CUDA_VISIBLE_DEVICES" >> '${seen}'\nexec '${python}' "$@"\n`
    )
    const ended = await startProgram(
      join(root, "apps/cli/bin/gradus.mjs"),
      ["sweep", "run", sweep, "--gpus", "4,6", "--runs", join(place, "runs"), "--json"],
      { GRADUS_PYTHON: wrapper }
    ).ended
    assert.strictEqual(lastLine(ended).ran, 2)
    assert.deepStrictEqual(readFileSync(seen, "utf8").split("\n").slice(0, -1).toSorted(), ["4", "6"])
  })
})
