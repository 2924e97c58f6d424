/** The trainer and the generator behind a run: a Python process of ours, or a service at an address. */
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { RunEngines } from "@gradus/experiment/Run"
import * as EmbeddedGenerator from "@gradus/inference/EmbeddedGenerator"
import type { GeneratorFailed } from "@gradus/inference/Generator"
import * as PublishRecords from "@gradus/inference/PublishRecords"
import * as ServerGenerator from "@gradus/inference/ServerGenerator"
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
import { basename, dirname } from "node:path"
import { randomBytes } from "node:crypto"
import type { JudgeStoreError, TrainerPlace } from "../Engines.ts"
import { scoring } from "./Scoring.ts"
import { trackers } from "./Trackers.ts"

export interface Installation {
  readonly python: string
  /** Folder of apps/trainer. */
  readonly folder: string
}

/** One optimizer step or one chunk of completions may take this long; large policies are slow, hung services are not waited for. */
const DEADLINE_SECONDS = 600
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
  spec: {
    readonly threads: number
    readonly device: "auto" | "cpu" | "cuda"
    readonly deadline?: number
    readonly workers?: { readonly processes: number; readonly replicas: number }
  },
  token: Redacted.Redacted,
  port: number,
  place: TrainerPlace,
  { folder, python }: Installation,
  environment: Readonly<Record<string, string>> = {}
) =>
  Layer.unwrap(
    Effect.map(logTo(place.logs), (log) =>
      EmbeddedTrainer.layer({
        python,
        state: place.state,
        artifacts: place.artifacts,
        threads: spec.threads,
        device: spec.device,
        ...(spec.workers === undefined ? {} : { workers: spec.workers }),
        token,
        port,
        // a run's own trainer has no port of its own; whoever starts it owns the run
        takeOver: place.port === undefined,
        environment: { ...environment, PYTHONPATH: `${folder}/src` },
        ...(spec.deadline === undefined ? {} : { startWithin: `${spec.deadline} seconds` as const }),
        log
      })
    )
  ).pipe(Layer.provide(NodeServices.layer))

const randomToken = Effect.sync(() => Redacted.make(randomBytes(32).toString("hex")))

const workersOf = (spec: TrainerSpec) =>
  spec.kind === "torchrun" ? { processes: spec.processes, replicas: spec.replicas } : undefined

/** The service as a process of ours: what `embedded` and `torchrun` describe, or what listens at a `service` manifest's address. */
export const service = (
  spec: TrainerSpec,
  place: TrainerPlace,
  installation: Installation,
  environment: Readonly<Record<string, string>> = {}
): Layer.Layer<TrainerAddress, EmbeddedTrainer.TrainerStartFailed | Config.ConfigError> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const workers = place.workers ?? workersOf(spec)
      const given = workers === undefined ? {} : { workers }
      if (spec.kind !== "service")
        return start({ ...spec, ...given }, yield* randomToken, place.port ?? 0, place, installation, environment)
      const port = place.port === undefined || place.port === 0 ? Number(new URL(spec.url).port) : place.port
      const token = yield* Config.Redacted(spec.token.env)
      return start({ threads: 2, device: "auto", ...given }, token, port, place, installation)
    })
  )

/** The service that a manifest describes: a process of ours, or what listens at its address. */
export const address = (spec: TrainerSpec, place: TrainerPlace, installation: Installation) =>
  spec.kind !== "service"
    ? service(spec, place, installation)
    : Layer.effect(
        TrainerAddress,
        Effect.map(Config.Redacted(spec.token.env), (token) => ({ url: spec.url, token, pid: 0 }))
      )

type Outside = Extract<NonNullable<Manifest["generator"]>, { readonly kind: "vllm" }>

/** Servers that generate what was published to them, and the records of it. */
const outside = (
  { api_key, directory, model, tolerance, transport, urls }: Outside,
  generation: Manifest["generation"]
) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const apiKey = api_key === undefined ? undefined : yield* Config.Redacted(api_key.env)
      const shared = { model, transport, tolerance, ...(directory === undefined ? {} : { directory }) }
      const key = apiKey === undefined ? {} : { api_key: apiKey }
      const records = yield* PublishRecords.make(urls.map((url) => ({ kind: "vllm", url, ...shared, ...key })))
      return Layer.merge(
        Layer.succeed(PublishRecords.PublishRecords, records),
        ServerGenerator.layer({
          urls,
          model,
          records,
          concurrency: generation.concurrency,
          deadline: `${generation.deadline} seconds`,
          attempts: generation.attempts,
          sendSeed: false,
          ...(apiKey === undefined ? {} : { apiKey })
        })
      )
    })
  )

const trainerAndGenerator = (manifest: Manifest) =>
  Layer.unwrap(
    Effect.map(TrainerAddress, ({ token, url }) =>
      Layer.merge(
        HttpTrainer.layer({
          url,
          token,
          deadline: `${manifest.trainer.deadline ?? DEADLINE_SECONDS} seconds`,
          attempts: ATTEMPTS
        }),
        manifest.generator?.kind === "vllm"
          ? outside(manifest.generator, manifest.generation)
          : EmbeddedGenerator.layer({
              url,
              token,
              chunkPrompts: manifest.trainer.chunk_prompts,
              deadline: `${manifest.generation.deadline} seconds`,
              attempts: manifest.generation.attempts
            })
      )
    )
  ).pipe(Layer.provide(NodeHttpClient.layerUndici))

/** What a run works with, over a trainer service that is there. `run` names it for trackers. */
export const over = (
  manifest: Manifest,
  run: string,
  judge: TrainerPlace["judge"]
): Layer.Layer<RunEngines, GeneratorFailed | Config.ConfigError | JudgeStoreError, TrainerAddress> =>
  Layer.mergeAll(trainerAndGenerator(manifest), scoring(manifest.rewards, judge), trackers(manifest, run))

/** Everything that a run works with. */
export const everything = (
  manifest: Manifest,
  place: TrainerPlace,
  installation: Installation
): Layer.Layer<
  RunEngines,
  EmbeddedTrainer.TrainerStartFailed | GeneratorFailed | Config.ConfigError | JudgeStoreError
> =>
  over(manifest, basename(dirname(place.state)), place.judge).pipe(
    Layer.provide(address(manifest.trainer, place, installation))
  )
