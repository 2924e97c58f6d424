/** The result of a part: a short table for who waits, and a JSON file for `docs/reliability.md`. */
import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { cpus, loadavg } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Options } from "./options.ts"

export const root = fileURLToPath(new URL("..", import.meta.url))

/** The 95 % bound on a rate of which no case was seen: 3 / trials (rule of three). */
export const bound = (trials: number): string => `${((100 * 3) / trials).toPrecision(2)} %`

const commit = (): string | null => {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" }).trim()
  } catch {
    return null
  }
}

/** Of the code that runs: the tree may move on while a part takes its hour. */
const begun = commit()

export interface Part {
  readonly part: string
  readonly options: Options
  readonly seconds: number
  /** What is counted, by name. */
  readonly counts: Readonly<Record<string, number | string>>
  /** Whether every claim of the part held. */
  readonly held: boolean
  readonly details?: unknown
}

/** Prints the part and writes `docs/reliability/<part>.json` (or `--output`). Sets the exit code of the process when a claim did not hold. */
export const report = ({ counts, details, held, options, part, seconds }: Part): void => {
  const { system, user } = process.cpuUsage()
  // on a machine that others work on too, the wall clock says little: so the CPU time of this process and the load stand beside it
  const cpuSeconds = Math.round((system + user) / 1e5) / 10
  const load = Number((loadavg()[1] ?? 0).toFixed(1))
  const rows = Object.entries({
    ...counts,
    seconds: Math.round(seconds),
    "CPU seconds": cpuSeconds,
    load,
    seed: options.seed,
    held: String(held)
  })
  const width = Math.max(...rows.map(([name]) => name.length))
  process.stdout.write(`\n${part}\n${rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}\n`).join("")}`)
  const file = options.output ?? join(root, "docs/reliability", `${part}.json`)
  mkdirSync(dirname(file), { recursive: true })
  const machine = { cpus: cpus().length, cpu_model: cpus()[0]?.model ?? "unknown", node: process.versions.node }
  const whole = {
    format: 1,
    part,
    seed: options.seed,
    commit: begun,
    machine,
    seconds,
    cpu_seconds: cpuSeconds,
    load,
    held,
    counts,
    details
  }
  writeFileSync(file, `${JSON.stringify(whole, null, 2)}\n`)
  if (!held) process.exitCode = 1
}
