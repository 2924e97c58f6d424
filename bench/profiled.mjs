// What the benches of `gradus profile` share: a folder with questions, the loopback server with its counts, and the command.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const here = (name) => fileURLToPath(new URL(name, import.meta.url))

/** Makes the place of a bench; `serverArguments` are those of profile-server.mjs, `rules` go to every call of the command. */
export const place = async (name, questions, serverArguments, rules) => {
  const folder = mkdtempSync(join(tmpdir(), `gradus-${name}-`))
  const input = join(folder, "questions.jsonl")
  const output = join(folder, "profile")
  writeFileSync(
    input,
    Array.from(
      { length: questions },
      (_, i) => `${JSON.stringify({ id: `q${i}`, question: `Question number ${i}`, answer: i })}\n`
    ).join("")
  )
  const server = spawn(process.execPath, [here("profile-server.mjs"), ...serverArguments], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  const lines = createInterface(server.stdout)[Symbol.asyncIterator]()
  const said = async () => (await lines.next()).value
  const endpoint = await said()
  const counts = async () => {
    server.stdin.write("\n")
    return JSON.parse(await said())
  }
  const flags = [
    "--input",
    input,
    "--output",
    output,
    "--endpoint",
    endpoint,
    "--model",
    "loopback",
    "--no-share",
    "--json"
  ]
  const scored = ["--accuracy", "numeric", "--answer", "numeric_end", ...rules]
  const start = () => {
    const child = spawn(process.execPath, [here("../apps/cli/bin/gradus.mjs"), "profile", ...flags, ...scored], {
      stdio: ["ignore", "pipe", "pipe"]
    })
    const told = { out: "", err: "" }
    child.stdout.on("data", (data) => (told.out += data))
    child.stderr.on("data", (data) => (told.err += data))
    const result = () => JSON.parse(told.out.trim().split("\n").at(-1))
    return { child, said: told, ended: once(child, "close"), result }
  }
  const close = () => {
    server.stdin.end()
    rmSync(folder, { recursive: true, force: true })
  }
  return { output, counts, start, close }
}
