/** The engines of a run by a simulated policy whose trainer keeps its state in a file, as the real one does: what a killed process leaves is found again. */
import { loadQuestions } from "@gradus/datasets/service/LoadQuestions"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import * as Seed from "@gradus/domain/Seed"
import { exists, readFile, writeFile } from "@gradus/experiment/AtomicFile"
import type { RunInput } from "@gradus/experiment/Run"
import { Generator, GeneratorFailed } from "@gradus/inference/Generator"
import type { LoadedManifest } from "@gradus/manifest/service/Load"
import { JudgeCalibration } from "@gradus/rewards/service/JudgeCalibration"
import { Scorer } from "@gradus/rewards/service/Scorer"
import { simulatedQuestions } from "@gradus/simulation/SimulatedAnswers"
import { simulatedPolicy } from "@gradus/simulation/SimulatedPolicy"
import * as State from "@gradus/simulation/SimulatedState"
import { Trainer } from "@gradus/trainer-client/Trainer"
import { TrainerRefused } from "@gradus/trainer-client/TrainerErrors"
import { decodeUpdate } from "@gradus/trainer-client/UpdateCodec"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"

/**
 * What survives of the trainer when its process dies with the orchestrator: `ledger` every applied update, as the real trainer's log and ledger;
 * `checkpoint` only what was made durable, so that the orchestrator must send again what it kept.
 */
export type Survives = "ledger" | "checkpoint"

export interface Place {
  /** The run directory. */
  readonly root: string
  /** Relative paths of the manifest start here. */
  readonly base: string
  readonly survives: Survives
}

const failed = (reason: string) => new GeneratorFailed({ url: "simulated", reason, retryable: false })

const make = Effect.fnUntraced(function* (manifest: Manifest, { base, root, survives }: Place) {
  const disk = Context.make(FileSystem.FileSystem, yield* FileSystem.FileSystem).pipe(
    Context.add(Path.Path, yield* Path.Path)
  )
  const file = `${root}/trainer/simulated.json`
  const seed = Seed.root(manifest.seed)
  const { sets } = yield* loadQuestions(manifest.questions, Seed.child(seed, "questions"), base)
  const asked = [...sets.train, ...Object.values(sets.evaluation).flat()]
  const save = (state: State.SimulatedState) =>
    writeFile(file, JSON.stringify(state)).pipe(Effect.provide(disk), Effect.orDie)
  const state = (yield* exists(file)) ? yield* State.decode(new TextDecoder().decode(yield* readFile(file))) : undefined
  const policy = yield* simulatedPolicy({
    questions: simulatedQuestions(asked, { seed: Seed.child(seed, "simulation") }),
    state,
    save,
    decode: decodeUpdate,
    refuse: (refusal) => new TrainerRefused(refusal),
    fail: failed
  })
  const { update } = policy.trainer
  const kept: Trainer["Service"]["update"] = (run, sent) =>
    Effect.tap(update(run, sent), () => Effect.flatMap(policy.state, save))
  return Context.make(Generator, policy.generator).pipe(
    Context.add(Trainer, survives === "ledger" ? { ...policy.trainer, update: kept } : policy.trainer)
  )
})

/** Trainer, generator and scorer of a manifest whose rewards need no judge. */
export const engines = (manifest: Manifest, place: Place) =>
  Layer.mergeAll(
    Layer.effectContext(make(manifest, place)),
    JudgeCalibration.layerNone,
    Scorer.layer(manifest.rewards as Parameters<typeof Scorer.layer>[0])
  )

/** What a run of a loaded manifest is given; it comes from nowhere. */
export const inputOf = (loaded: LoadedManifest, runDirectory: string): RunInput => ({
  resolved: loaded,
  written: "",
  base: loaded.directory,
  root: runDirectory,
  origin: {
    commit: null,
    dirty: null,
    locks: {},
    versions: {},
    hardware: { cpus: 0, cpu_model: "simulated", memory_bytes: 0, platform: "simulated" }
  }
})
