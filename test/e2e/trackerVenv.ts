/** The packages that trackers are tested against: readers and servers in Python, as `npm run setup` installs them in `.cache/trackers`. */
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { onTestFinished } from "vitest"
import { root } from "../gradus.ts"

const python = join(root, ".cache/trackers/bin/python")
const present = (path: string): string => {
  if (!existsSync(path)) throw new Error(`${path} is not there: run \`npm run setup\` first`)
  return path
}

/** Runs a Python (this one, or that of another environment) with arguments to its end and gives what it printed. */
export const runPython = (
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>> = {},
  input = "",
  interpreter = python
): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...environment }, maxBuffer: 2 ** 28 }
    const child = execFile(present(interpreter), args, options, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(`${error.message}\n${stderr}`))
    )
    child.stdin?.end(input)
  })

/** What one of the readers beside this file makes of its arguments. */
export const read = async (reader: string, args: ReadonlyArray<string>, input?: string): Promise<any> =>
  JSON.parse(await runPython([join(root, "test/e2e/readers", reader), ...args], {}, input))

/** Starts Python; it is killed with the test file at the latest. */
export const startPython = (
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>>,
  cwd: string
): ChildProcess =>
  spawn(present(python), args, { cwd, env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "inherit"] })

/** A port of 127.0.0.1 that nobody had a moment ago. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

/** A receiver of OTLP for one test: its address, and what it has decoded so far. */
export const otlpReceiver = async (): Promise<{ readonly url: string; readonly requests: ReadonlyArray<any> }> => {
  const child = startPython([join(root, "test/e2e/readers/otlp_receiver.py")], {}, root)
  onTestFinished(() => void child.kill("SIGKILL"))
  if (child.stdout === null) throw new Error("the receiver has no standard output")
  const lines = createInterface(child.stdout)
  const requests: Array<any> = []
  const port = await new Promise<number>((resolve) =>
    lines.once("line", (first) => {
      lines.on("line", (line) => requests.push(JSON.parse(line)))
      resolve(JSON.parse(first).port)
    })
  )
  return { url: `http://127.0.0.1:${port}`, requests }
}
