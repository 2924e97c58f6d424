/** Kills workers of a sweep, each at a generation of its own, until the sweep is done; and says what came of it. */
import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { base } from "./simulated.ts"

export interface Outcome {
  readonly kills: number
  /** Cells with a summary. */
  readonly finished: number
  /** Digests of metrics by cell. */
  readonly metrics: Readonly<Record<string, string>>
  /** Events of all attempts by kind. */
  readonly events: Readonly<Record<string, number>>
  /** Cells that finished more than once. */
  readonly repeated: number
}

const sweepText = (arms: number, seeds: number): string => `
version: 1
name: kills
base: base.yaml
seeds: [${Array.from({ length: seeds }, (_, i) => i + 1).join(", ")}]
axes:
  - grid: {curriculum.sigma: [${Array.from({ length: arms }, (_, i) => (0.1 + i / 100).toFixed(2)).join(", ")}]}
`

/** Makes a directory with a sweep of arms x seeds cells. */
export const prepare = (arms: number, seeds: number): { readonly file: string; readonly root: string } => {
  const root = mkdtempSync(join(tmpdir(), "gradus-sweep-"))
  writeFileSync(join(root, "base.yaml"), base)
  const file = join(root, "sweep.yaml")
  writeFileSync(file, sweepText(arms, seeds))
  return { file, root }
}

/** Starts a worker and kills it at its n-th generation; without `n` it runs to its end. Says whether it ended by itself. */
const worker = (file: string, runs: string, killAt: number | undefined, concurrency: number): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const script = new URL("worker.ts", import.meta.url).pathname
    const child = spawn(process.execPath, [script, file, runs, String(concurrency)], {
      stdio: ["ignore", "pipe", "pipe"]
    })
    let [lines, errors] = [0, ""]
    child.stderr.on("data", (data) => (errors += String(data)))
    child.stdout.on("data", (data) => {
      lines += String(data).split("\n").length - 1
      if (killAt !== undefined && lines >= killAt) child.kill("SIGKILL")
    })
    child.once("error", reject)
    child.once("close", (code, signal) =>
      signal === "SIGKILL" || code === 0 ? resolve(code === 0) : reject(new Error(`exit ${code}: ${errors}`))
    )
  })

const lines = (file: string): ReadonlyArray<{ readonly _tag: string }> =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { readonly _tag: string })

const outcome = (runs: string, kills: number): Outcome => {
  const results = join(runs, "sweeps", "kills", "results")
  const metrics: Record<string, string> = {}
  for (const name of readdirSync(results)) {
    const { cell, digest } = JSON.parse(readFileSync(join(results, name), "utf8"))
    metrics[cell] = digest.metrics
  }
  const events: Record<string, number> = {}
  let repeated = 0
  for (const name of readdirSync(runs).filter((entry) => entry.startsWith("cell--"))) {
    const own = lines(join(runs, name, "attempts.ndjson"))
    for (const { _tag } of own) events[_tag] = (events[_tag] ?? 0) + 1
    if (own.filter(({ _tag }) => _tag === "finished").length > 1) repeated += 1
  }
  return { kills, finished: Object.keys(metrics).length, metrics, events, repeated }
}

/** Kills one worker after another at the given generations, then lets one finish. */
export const underKills = async (
  file: string,
  runs: string,
  killAt: ReadonlyArray<number>,
  concurrency = 1
): Promise<Outcome> => {
  let kills = 0
  for (const at of killAt) if (!(await worker(file, runs, at, concurrency))) kills += 1
  await worker(file, runs, undefined, concurrency)
  return outcome(runs, kills)
}
