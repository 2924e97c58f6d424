/** The trainer and the generator behind a run: a Python process of ours, or a service at an address. */
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { RunEngines } from "@gradus/experiment/Run"
import * as EmbeddedGenerator from "@gradus/inference/EmbeddedGenerator"
import type { GeneratorFailed } from "@gradus/inference/Generator"
import * as EmbeddedTrainer from "@gradus/trainer-client/EmbeddedTrainer"
import * as HttpTrainer from "@gradus/trainer-client/HttpTrainer"
import { TrainerAddress } from "@gradus/trainer-client/TrainerAddress"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import { randomBytes } from "node:crypto"
import type { TrainerPlace } from "../Engines.ts"
import { scoring } from "./Scoring.ts"

export interface Installation {
  readonly python: string
  /** Folder of apps/trainer. */
  readonly folder: string
}

/** One optimizer step or one chunk of completions may take this long; large policies are slow, hung services are not waited for. */
const DEADLINE = "600 seconds"
const ATTEMPTS = 4

type TrainerSpec = Manifest["trainer"]

/** Keeps the trainer's log as a file of the run. */
const logTo = Effect.fnUntraced(function* (logs: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* Effect.ignore(fs.makeDirectory(logs, { recursive: true }))
  const file = path.join(logs, "trainer.log")
  return (line: string) => Effect.ignore(fs.writeFileString(file, `${line}\n`, { flag: "a" }))
})

const start = (
  spec: { readonly threads: number; readonly device: "auto" | "cpu" | "cuda" },
  token: Redacted.Redacted,
  port: number,
  place: TrainerPlace,
  { folder, python }: Installation
) =>
  Layer.unwrap(
    Effect.map(logTo(place.logs), (log) =>
      EmbeddedTrainer.layer({
        python,
        state: place.state,
        artifacts: place.artifacts,
        threads: spec.threads,
        device: spec.device,
        token,
        port,
        environment: { PYTHONPATH: `${folder}/src` },
        log
      })
    )
  ).pipe(Layer.provide(NodeServices.layer))

const randomToken = Effect.sync(() => Redacted.make(randomBytes(32).toString("hex")))

/** The service as a process of ours: what `embedded` describes, or what listens at a `service` manifest's address. */
export const service = (
  spec: TrainerSpec,
  place: TrainerPlace,
  installation: Installation
): Layer.Layer<TrainerAddress, EmbeddedTrainer.TrainerStartFailed | Config.ConfigError> =>
  Layer.unwrap(
    Effect.gen(function* () {
      if (spec.kind === "embedded") return start(spec, yield* randomToken, place.port ?? 0, place, installation)
      const port = place.port === undefined || place.port === 0 ? Number(new URL(spec.url).port) : place.port
      const token = yield* Config.Redacted(spec.token.env)
      return start({ threads: 2, device: "auto" }, token, port, place, installation)
    })
  )

const address = (spec: TrainerSpec, place: TrainerPlace, installation: Installation) =>
  spec.kind === "embedded"
    ? service(spec, place, installation)
    : Layer.effect(
        TrainerAddress,
        Effect.map(Config.Redacted(spec.token.env), (token) => ({ url: spec.url, token, pid: 0 }))
      )

const trainerAndGenerator = (manifest: Manifest) =>
  Layer.unwrap(
    Effect.map(TrainerAddress, ({ token, url }) =>
      Layer.merge(
        HttpTrainer.layer({ url, token, deadline: DEADLINE, attempts: ATTEMPTS }),
        EmbeddedGenerator.layer({
          url,
          token,
          chunkPrompts: manifest.trainer.chunk_prompts,
          deadline: `${manifest.generation.deadline} seconds`,
          attempts: manifest.generation.attempts
        })
      )
    )
  ).pipe(Layer.provide(NodeHttpClient.layerUndici))

/** Everything that a run works with. */
export const everything = (
  manifest: Manifest,
  place: TrainerPlace,
  installation: Installation
): Layer.Layer<RunEngines, EmbeddedTrainer.TrainerStartFailed | GeneratorFailed | Config.ConfigError> =>
  Layer.merge(
    trainerAndGenerator(manifest).pipe(Layer.provide(address(manifest.trainer, place, installation))),
    scoring(manifest.rewards)
  )
