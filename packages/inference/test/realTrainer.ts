/** The real Python service with one small open run, for tests: apps/trainer with its own virtual environment, in a fresh directory. */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const trainer = fileURLToPath(new URL("../../../apps/trainer", import.meta.url))
export const token = "a token for tests"

const python = (): string => {
  const path = join(trainer, ".venv/bin/python")
  if (!existsSync(path)) throw new Error("apps/trainer/.venv has no Python: run `npm run setup` first")
  return path
}

const spec = {
  format: 1,
  policy: {
    kind: "init",
    seed: 3,
    architecture: {
      family: "llama",
      hidden_size: 16,
      intermediate_size: 32,
      layers: 1,
      heads: 2,
      kv_heads: 1,
      head_dim: 8,
      norm_epsilon: 1e-5,
      rope_theta: 10_000,
      max_positions: 64,
      tied_embeddings: true,
      init_std: 0.02
    },
    tokenizer: { kind: "characters", pad: "<pad>", end: "<end>", tokens: [], characters: "abcd" }
  },
  optimizer: { kind: "adamw", beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weight_decay: 0, max_grad_norm: 1 },
  micro_batch_tokens: 256,
  dtype: "auto"
}

const start = async () => {
  const directory = mkdtempSync(join(tmpdir(), "gradus-generator-"))
  const folders = ["--state", join(directory, "state"), "--artifacts", join(directory, "artifacts")]
  const child = spawn(python(), ["-m", "gradus_trainer", "--watch-stdin", "--threads", "1", ...folders], {
    env: { ...process.env, PYTHONPATH: join(trainer, "src"), GRADUS_TRAINER_TOKEN: token },
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
    body: JSON.stringify(spec)
  })
  if (!opened.ok) throw new Error(`the run did not open: ${await opened.text()}`)
  return { url, stop }
}

/** Starts the service and opens the run `tiny`, a policy of a few thousand parameters whose characters are a, b, c and d. */
export const started = Effect.map(
  Effect.acquireRelease(Effect.promise(start), ({ stop }) => Effect.promise(stop)),
  ({ url }) => url
)
