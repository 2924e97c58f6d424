/** Cells without torch: engines over the simulated policy, whose state lies in the worker's directory as a trainer's does. */
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import * as Seed from "@gradus/domain/Seed"
import { loadQuestions } from "@gradus/datasets/service/LoadQuestions"
import type { Origin } from "@gradus/experiment/Run"
import { Generator, GeneratorFailed } from "@gradus/inference/Generator"
import { JudgeCalibration } from "@gradus/rewards/service/JudgeCalibration"
import { Scorer } from "@gradus/rewards/service/Scorer"
import * as EmbeddedRunLease from "@gradus/store/EmbeddedRunLease"
import { simulatedQuestions } from "@gradus/simulation/SimulatedAnswers"
import { simulatedPolicy } from "@gradus/simulation/SimulatedPolicy"
import { simulatedManifest } from "@gradus/testing/SimulatedManifest"
import { Trainer } from "@gradus/trainer-client/Trainer"
import { TrainerRefused } from "@gradus/trainer-client/TrainerErrors"
import { decodeUpdate } from "@gradus/trainer-client/UpdateCodec"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { MakeEngines } from "../src/Engines.ts"
import { planSweep } from "../src/Plan.ts"
import { sweepPlace } from "../src/Place.ts"
import type { Shard } from "../src/Shard.ts"
import { keepPlan } from "../src/Stored.ts"
import { work } from "../src/Work.ts"

/** A cell of well under a second. */
export const base = simulatedManifest({
  evaluate: "samples: 1, every: 2",
  more: "rewards: {accuracy: exact}\nprofile: {samples: 4}\n"
})

/** What may happen to a cell on the way: called before each generation. */
export type Hook = (manifest: Manifest, stage: string, step: number) => Effect.Effect<void>

const layerOf = (manifest: Manifest, hook: Hook) => {
  const ports = Effect.gen(function* () {
    const { sets } = yield* loadQuestions(manifest.questions, Seed.child(Seed.root(manifest.seed), "questions"), ".")
    const { generator, trainer } = yield* simulatedPolicy({
      questions: simulatedQuestions([...sets.train, ...Object.values(sets.evaluation).flat()], { seed: Seed.root(1) }),
      decode: decodeUpdate,
      refuse: (refusal) => new TrainerRefused(refusal),
      fail: (reason) => new GeneratorFailed({ url: "simulated", reason, retryable: false })
    })
    return Layer.merge(
      Layer.succeed(
        Generator,
        Generator.of({
          ...generator,
          generate: (request) =>
            Effect.andThen(hook(manifest, request.stage, request.step), generator.generate(request))
        })
      ),
      Layer.succeed(Trainer, Trainer.of(trainer))
    )
  })
  return Layer.mergeAll(
    Layer.unwrap(ports),
    Scorer.layer({ ...manifest.rewards, accuracy: "exact" }),
    JudgeCalibration.layerNone
  ).pipe(Layer.provide(NodeServices.layer))
}

export const engines =
  (hook: Hook = () => Effect.void): MakeEngines<unknown> =>
  () =>
    Effect.succeed({ layer: (manifest) => layerOf(manifest, hook), discard: Effect.void })

export const origin: Origin = {
  commit: null,
  dirty: null,
  locks: {},
  versions: {},
  hardware: { cpus: 1, cpu_model: "none", memory_bytes: 1, platform: "none" }
}

export interface Options {
  readonly concurrency?: number
  readonly retryFailed?: boolean
  readonly hook?: Hook
  readonly worker?: string
  readonly shard?: Shard
}

/** Runs the sweep of a file in a directory of runs; the same call again goes on. */
export const sweep = Effect.fnUntraced(function* (file: string, runs: string, options: Options = {}) {
  const planned = yield* planSweep(file)
  const place = yield* sweepPlace(runs, planned.spec.name, undefined)
  const { plan } = yield* keepPlan(planned, place)
  const done = yield* work({
    planned,
    plan,
    shard: options.shard,
    place,
    worker: options.worker ?? "test",
    concurrency: options.concurrency ?? 1,
    retryFailed: options.retryFailed ?? false,
    origin,
    engines: engines(options.hook)
  })
  return { planned, place, plan, done }
}, Effect.provide(EmbeddedRunLease.layer))
