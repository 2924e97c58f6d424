/** The program `gradus`. Which implementation stands behind each port is decided here and nowhere else. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Engines, PythonMissing } from "./Engines.ts"
import { exitCodeOf, messageOf } from "./ExitCode.ts"
import { gradus } from "./Gradus.ts"
import * as KillHook from "./KillHook.ts"
import { projectRoot } from "./ProjectRoot.ts"

const version = "0.1.0"
const trainerFolder = join(projectRoot, "apps/trainer")
const python = process.env["GRADUS_PYTHON"] ?? join(trainerFolder, ".venv/bin/python")

/** Loaded when a command needs them: help and usage errors are fast. */
const engines = Layer.succeed(Engines, {
  python,
  lease: Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("@gradus/store/EmbeddedRunLease")),
      ({ layer }) => layer
    )
  ),
  wire: (connections) =>
    Layer.unwrap(
      Effect.map(
        Effect.promise(() => import("./engines/UndiciWire.ts")),
        ({ layer }) => layer({ connections })
      )
    ),
  store: (place, lease) =>
    Layer.unwrap(
      Effect.map(
        Effect.promise(() => import("./engines/Store.ts")),
        ({ store }) => store(place, lease)
      )
    ),
  scorer: (rewards, place) =>
    Layer.unwrap(
      Effect.map(
        Effect.promise(() => import("./engines/Scoring.ts")),
        ({ scoring }) => scoring(rewards, place)
      )
    ),
  ledger: (place) =>
    Layer.unwrap(
      Effect.map(
        Effect.promise(() => import("./engines/JudgeStore.ts")),
        ({ judgeStore }) => judgeStore(place.store)
      )
    ),
  trainer: (trainer, place) =>
    existsSync(python)
      ? Layer.unwrap(
          Effect.map(
            Effect.promise(() => import("./engines/Training.ts")),
            ({ service }) => service(trainer, place, { python, folder: trainerFolder })
          )
        )
      : Layer.effectContext(Effect.fail(new PythonMissing({ path: python }))),
  cells: (place, environment) =>
    Effect.flatMap(
      Effect.promise(() => import("./engines/Cells.ts")),
      ({ cellEngines }) => cellEngines(place, { python, folder: trainerFolder }, environment)
    ),
  run: (manifest, place) =>
    manifest.trainer.kind !== "service" && !existsSync(python)
      ? Layer.effectContext(Effect.fail(new PythonMissing({ path: python })))
      : Layer.unwrap(
          Effect.map(
            Effect.promise(() => import("./engines/Training.ts")),
            ({ everything }) => everything(manifest, place, { python, folder: trainerFolder })
          )
        ),
  simulation: (manifest, base, place, settings) =>
    Layer.unwrap(
      Effect.map(
        Effect.promise(() => import("./engines/Simulation.ts")),
        ({ simulation }) => simulation(manifest, base, place, settings)
      )
    )
})

/** What packages log is for whoever watches: on standard error, in words. */
const plainLines = Logger.make<unknown, void>(({ logLevel, message }) => {
  const words = Array.isArray(message) ? message.map(String).join(" ") : String(message)
  process.stderr.write(`${logLevel.toLowerCase()}: ${words}\n`)
})

const platform = KillHook.isAsked(process.env) ? KillHook.platform(process.env) : NodeServices.layer

const main = Command.run(gradus, { version }).pipe(
  Effect.provide([engines, platform, Logger.layer([plainLines])]),
  Effect.tapCause((cause) =>
    Effect.sync(() => {
      const message = messageOf(cause)
      if (message !== undefined) process.stderr.write(`${message}\n`)
    })
  )
)

NodeRuntime.runMain(main, {
  disableErrorReporting: true,
  teardown: (exit, onExit) =>
    onExit(Exit.isFailure(exit) ? exitCodeOf(exit.cause as Cause.Cause<unknown>, process.exitCode) : 0)
})
