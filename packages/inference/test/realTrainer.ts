/** The real Python service with one small open run, for tests: apps/trainer with its own virtual environment, in a fresh directory. */
import { tinyPolicy } from "@gradus/testing/TinyPolicy"
import { trainerFolder, trainerPython } from "@gradus/testing/TrainerPython"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"

export const token = "a token for tests"

const start = async () => {
  const directory = mkdtempSync(join(tmpdir(), "gradus-generator-"))
  const folders = ["--state", join(directory, "state"), "--artifacts", join(directory, "artifacts")]
  const child = spawn(trainerPython(), ["-m", "gradus_trainer", "--watch-stdin", "--threads", "1", ...folders], {
    env: { ...process.env, PYTHONPATH: join(trainerFolder, "src"), GRADUS_TRAINER_TOKEN: token },
    stdio: ["pipe", "pipe", "inherit"]
  })
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  const stop = async () => {
    child.stdin.end()
    child.kill("SIGTERM")
    await ended
    rmSync(directory, { recursive: true, force: true })
  }
  const line = await new Promise<string>((resolve) => createInterface(child.stdout).once("line", resolve))
  const { url } = JSON.parse(line) as { url: string }
  const authorization = { authorization: `Bearer ${token}`, "content-type": "application/json" }
  const opened = await fetch(`${url}/v1/runs/tiny`, {
    method: "PUT",
    headers: authorization,
    body: JSON.stringify({ format: 1, ...tinyPolicy(3) })
  })
  if (!opened.ok) throw new Error(`the run did not open: ${await opened.text()}`)
  return { url, stop }
}

/** Starts the service and opens the run `tiny`, a policy of a few thousand parameters whose characters are a, b, c and d. */
export const started = Effect.map(
  Effect.acquireRelease(Effect.promise(start), ({ stop }) => Effect.promise(stop)),
  ({ url }) => url
)
