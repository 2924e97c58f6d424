/** The real Python service for tests: apps/trainer with its own virtual environment, in a fresh directory. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as EmbeddedTrainer from "../src/EmbeddedTrainer.ts"
import * as HttpTrainer from "../src/HttpTrainer.ts"
import type { RunSpec } from "../src/RunSpec.ts"
import { TrainerAddress } from "../src/TrainerAddress.ts"

const trainer = fileURLToPath(new URL("../../../apps/trainer", import.meta.url))

/** Finds the trainer's Python, or says in one sentence what to do. */
export const python = (): string => {
  const path = join(trainer, ".venv/bin/python")
  if (!existsSync(path)) throw new Error("apps/trainer/.venv has no Python: run `npm run setup` first")
  return path
}

export const environment = { PYTHONPATH: join(trainer, "src") }
export const token = Redacted.make("a token for tests")

/** A directory that is removed with the scope. */
export const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "gradus-trainer-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Starts the service in a directory of its own. */
export const started = Layer.unwrap(
  Effect.map(directory, (path) =>
    EmbeddedTrainer.layer({
      python: python(),
      state: join(path, "state"),
      artifacts: join(path, "artifacts"),
      threads: 1,
      device: "cpu",
      token,
      environment
    })
  )
).pipe(Layer.provide(NodeServices.layer))

/** The port on the real service, and its address. */
export const layer = Layer.unwrap(
  Effect.map(TrainerAddress, (address) => HttpTrainer.layer({ ...address, deadline: "60 seconds", attempts: 3 }))
).pipe(Layer.provide(NodeHttpClient.layerUndici), Layer.provideMerge(started))

/** A policy of a few thousand parameters; tokens: pad 0, end 1, then a b c d. */
export const tiny = (seed: number): RunSpec => ({
  policy: {
    kind: "init",
    seed,
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
})
