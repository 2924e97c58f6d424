/** Sweeps of simulated cells in a directory of runs: planned, worked on and summed up by the commands that real ones have. */
import { simulatedManifest } from "@gradus/testing/SimulatedManifest"
import { spawnSync } from "node:child_process"
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const program = fileURLToPath(new URL("../../torture/simulatedGradus.ts", import.meta.url))

/** A cell of about a second. */
const small = simulatedManifest({
  evaluate: "samples: 1, every: 2",
  more: "rewards: {accuracy: exact}\nprofile: {samples: 4}\n"
})

export interface MadeSweep {
  /** Its file. */
  readonly file: string
  /** The cell's run, by `<seed>/<arm>`. */
  readonly runOf: (cell: string) => string
  /** Takes a finished cell back to nothing. */
  readonly forget: (cell: string) => void
  /** Takes a finished cell back to a second attempt that has not ended, or that has failed. */
  readonly reopen: (cell: string, failed?: string) => void
}

/** Runs `gradus` with a simulated policy and gives what it said last, as JSON. */
const simulated = (...args: ReadonlyArray<string>): any => {
  const ended = spawnSync(process.execPath, [program, ...args, "--json"], { encoding: "utf8" })
  if (ended.status !== 0) throw new Error(`gradus ${args.join(" ")} ended with ${ended.status}: ${ended.stderr}`)
  return JSON.parse(ended.stdout.trim().split("\n").at(-1) ?? "")
}

/** Runs a sweep to its end. `text` is its file without version and base; `manifest` is that of its cells where it is not the small one. */
export const makeSweep = (runs: string, name: string, text: string, manifest = small): MadeSweep => {
  const folder = join(runs, ".files")
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${name}.base.yaml`), manifest)
  const file = join(folder, `${name}.yaml`)
  writeFileSync(file, `version: 1\nname: ${name}\nbase: ${name}.base.yaml\n${text}`)
  simulated("sweep", "run", file, "--runs", runs)
  const plan = JSON.parse(readFileSync(join(runs, "sweeps", name, "plan.json"), "utf8")) as {
    readonly cells: ReadonlyArray<{ readonly id: string; readonly arm: string; readonly seed: number }>
  }
  const ids = new Map(plan.cells.map(({ arm, id, seed }) => [`${seed}/${arm}`, id.slice(0, 16)]))
  const idOf = (cell: string): string => {
    const id = ids.get(cell)
    if (id === undefined) throw new Error(`there is no cell ${cell}; there are ${[...ids.keys()].join(", ")}`)
    return id
  }
  const runOf = (cell: string): string => `cell--${idOf(cell)}`
  const forgetResult = (cell: string): void => rmSync(join(runs, "sweeps", name, "results", `${idOf(cell)}.json`))
  return {
    file,
    runOf,
    forget: (cell) => {
      forgetResult(cell)
      rmSync(join(runs, runOf(cell)), { recursive: true })
    },
    reopen: (cell, failed) => {
      forgetResult(cell)
      const common = { format: 1, attempt: 2, worker: "other", at: "2026-11-25T00:00:00.000Z" }
      const events = [
        { _tag: "started", ...common },
        ...(failed === undefined ? [] : [{ _tag: "failed", ...common, error: "GeneratorFailed", message: failed }])
      ]
      appendFileSync(
        join(runs, runOf(cell), "attempts.ndjson"),
        events.map((event) => `${JSON.stringify(event)}\n`).join("")
      )
    }
  }
}
