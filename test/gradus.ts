/** The command line as its users have it: a process of its own, real files, the real trainer. */
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, onTestFinished } from "vitest"

export const root = fileURLToPath(new URL("..", import.meta.url))
const bin = join(root, "apps/cli/bin/gradus.mjs")

const children = new Set<ChildProcess>()
afterAll(() => {
  for (const child of children) child.kill("SIGKILL")
})

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves when a text has been said on either stream; rejects when the process ends without it. */
  readonly said: (text: string) => Promise<void>
  /** The first line of standard output, as JSON. */
  readonly line: () => any
}

/** Starts `gradus` with arguments. It is killed with the test file that started it. */
export const start = (args: ReadonlyArray<string>, cwd = root): Started => startProgram(bin, args, {}, cwd)

/** Starts another program that has the same commands. */
export const startProgram = (
  program: string,
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>> = {},
  cwd = root
): Started => {
  const env = { ...process.env, ...environment }
  const child = spawn(process.execPath, [program, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
  const out = { stdout: "", stderr: "" }
  const listeners = new Set<() => void>()
  for (const stream of ["stdout", "stderr"] as const)
    child[stream]?.on("data", (data) => {
      out[stream] += String(data)
      for (const listener of listeners) listener()
    })
  const ended = new Promise<Ended>((resolve) =>
    child.once("close", (code, signal) => resolve({ code, signal, ...out }))
  )
  children.add(child)
  const said = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!(out.stdout + out.stderr).includes(text)) return
        listeners.delete(look)
        resolve()
      }
      listeners.add(look)
      look()
      void ended.then(() => reject(new Error(`it ended without saying "${text}":\n${out.stderr}`)))
    })
  return { child, ended, said, line: () => JSON.parse(out.stdout.split("\n")[0] ?? "") }
}

/** Runs `gradus` to its end. */
export const gradus = (...args: ReadonlyArray<string>): Promise<Ended> => start(args).ended

/** The JSON on the last line of standard output; a failure shows what was said. */
export const lastLine = (ended: Ended): any => {
  if (ended.code !== 0) throw new Error(`exit ${ended.code} ${ended.signal}\n${ended.stderr}\n${ended.stdout}`)
  return JSON.parse(ended.stdout.trim().split("\n").at(-1) ?? "")
}

/** A directory that is removed with the test. */
export const directory = (): string => {
  const path = mkdtempSync(join(tmpdir(), "gradus-e2e-"))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Longer than a starved machine needs for anything that is waited for. */
const PATIENCE_MINUTES = 4

/** Waits until a condition holds; fails after a while. */
export const until = async (what: string, holds: () => boolean): Promise<void> => {
  for (let i = 0; i < 600 * PATIENCE_MINUTES; i++) {
    if (holds()) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`in ${PATIENCE_MINUTES} minutes it did not become true that ${what}`)
}

/** Says whether a process runs (a zombie that nobody reaped does not). */
export const runs = (pid: number): boolean => existsSync(`/proc/${pid}/exe`) && isAlive(pid)

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
