#!/usr/bin/env node
// The command `gradus`. Runs src/main.ts under a Node that can: this one, or the project's own.
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import module from "node:module"
import { constants } from "node:os"
import { fileURLToPath } from "node:url"

const root = new URL("../../../", import.meta.url)
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
// Node 22.19 is the first that strips types without being asked to
if (major > 22 || (major === 22 && minor >= 19)) {
  module.enableCompileCache?.(fileURLToPath(new URL(".cache/compile", root)))
  // started by the branch below: when that process is killed, this one goes with it
  if (process.env.GRADUS_PARENT === "1" && process.channel) {
    process.channel.unref()
    process.on("disconnect", () => process.kill(process.pid, "SIGKILL"))
    delete process.env.GRADUS_PARENT
  }
  await import("../src/main.ts")
} else {
  const node = fileURLToPath(new URL("node_modules/.bin/node", root))
  if (!existsSync(node)) {
    console.error(
      `gradus: Node ${process.versions.node} is too old and the project's own is not installed: run \`npm run setup\` first`
    )
    process.exit(1)
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { ...process.env, GRADUS_PARENT: "1" }
  })
  // a terminal's Ctrl-C reaches the whole process group; a signal sent to this process alone is passed on
  process.on("SIGINT", () => {})
  process.on("SIGTERM", () => child.kill("SIGTERM"))
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}
