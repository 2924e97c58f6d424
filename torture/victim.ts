/** A process that is started to be killed: at a named moment by its own hand, or at any time by ours. Both are SIGKILL. */
import { type ChildProcess, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const compiled = fileURLToPath(new URL("../.cache/compile", import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly milliseconds: number
}

export interface Death {
  /** A moment and how often it has come: `step_generated:torn#2`. */
  readonly at?: string
  /** Milliseconds after the start. */
  readonly after?: number
  /** Who dies after that time: the process, or the trainer that it started. */
  readonly who?: "orchestrator" | "trainer"
}

/** The processes that a process started, as Linux lists them. */
const childrenOf = (pid: number): ReadonlyArray<number> => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** Kills the trainer of a process; the process itself when it has none (yet). */
const killTrainer = (child: ChildProcess): void => {
  const [trainer] = childrenOf(child.pid ?? 0)
  if (trainer === undefined) child.kill("SIGKILL")
  else process.kill(trainer, "SIGKILL")
}

/** Runs a command to its end, or to its death. */
export const run = (
  command: ReadonlyArray<string>,
  death: Death,
  environment: Readonly<Record<string, string>> = {}
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const [program = "", ...args] = command
    const started = performance.now()
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: compiled,
        ...environment,
        ...(death.at === undefined ? {} : { GRADUS_KILL_AT: death.at })
      }
    })
    const said = { stdout: "", stderr: "" }
    child.stdout.on("data", (data) => (said.stdout += String(data)))
    child.stderr.on("data", (data) => (said.stderr += String(data)))
    const kill = () => (death.who === "trainer" ? killTrainer(child) : child.kill("SIGKILL"))
    const timer = death.after === undefined ? undefined : setTimeout(kill, death.after)
    child.once("error", reject)
    child.once("close", (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, ...said, milliseconds: performance.now() - started })
    })
  })
