/** The real Python service for tests: apps/trainer with its own virtual environment, in a fresh directory. */
import { trainerFolder, trainerPython } from "@gradus/testing/TrainerPython"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as EmbeddedTrainer from "../src/EmbeddedTrainer.ts"
import * as HttpTrainer from "../src/HttpTrainer.ts"
import { TrainerAddress } from "../src/TrainerAddress.ts"

export const environment = { PYTHONPATH: join(trainerFolder, "src") }
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
      python: trainerPython(),
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
