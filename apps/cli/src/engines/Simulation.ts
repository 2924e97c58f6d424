/**
 * The simulated policy behind the ports of a run: no weights, no Python, no judge. Its state lies where a trainer's would, so that a simulation that
 * was cut goes on as a run does.
 */
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import * as Seed from "@gradus/domain/Seed"
import { loadQuestions, type QuestionsError } from "@gradus/datasets/service/LoadQuestions"
import { publish } from "@gradus/experiment/Artifacts"
import { exists, readFile, RunFileFailed, writeFile } from "@gradus/experiment/AtomicFile"
import type { RunEngines } from "@gradus/experiment/Run"
import { Generator, GeneratorFailed } from "@gradus/inference/Generator"
import { JudgeCalibration } from "@gradus/rewards/service/JudgeCalibration"
import { Scorer } from "@gradus/rewards/service/Scorer"
import { simulatedQuestions } from "@gradus/simulation/SimulatedAnswers"
import { simulatedPolicy } from "@gradus/simulation/SimulatedPolicy"
import { decode, empty, type SimulatedState } from "@gradus/simulation/SimulatedState"
import type { SimulationSettings } from "@gradus/simulation/SimulationSettings"
import { Trainer } from "@gradus/trainer-client/Trainer"
import { TrainerRefused } from "@gradus/trainer-client/TrainerErrors"
import { decodeUpdate } from "@gradus/trainer-client/UpdateCodec"
import * as NodeServices from "@effect/platform-node/NodeServices"
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { basename, dirname } from "node:path"
import type { TrainerPlace } from "../Engines.ts"
import { trackers } from "./Trackers.ts"

const DIGEST = /^[0-9a-f]{64}$/
/** A published policy's file in its artifact. */
const POLICY = "simulated.json"

const read = Effect.fnUntraced(function* (file: string) {
  if (!(yield* exists(file))) return empty
  const text = new TextDecoder().decode(yield* readFile(file))
  return yield* decode(text).pipe(
    Effect.mapError((error) => new RunFileFailed({ file, operation: "read", reason: error.message }))
  )
})

/** The policies that this simulation and those beside it have published: each an artifact of its own, so that many may publish at once. */
const published = Effect.fnUntraced(function* (artifacts: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  if (!(yield* exists(artifacts))) return empty.artifacts
  const names = yield* fs
    .readDirectory(artifacts)
    .pipe(Effect.mapError((error) => new RunFileFailed({ file: artifacts, operation: "read", reason: error.message })))
  const files = names.filter((name) => DIGEST.test(name)).map((name) => path.join(artifacts, name, POLICY))
  const states = yield* Effect.forEach(files, read)
  return Object.fromEntries(states.flatMap((state) => Object.entries(state.artifacts)))
})

/** The runs of this directory, and the policies that every simulation beside it has published. */
const stored = Effect.fnUntraced(function* (place: TrainerPlace) {
  const path = yield* Path.Path
  const runs = path.join(place.state, "simulated.json")
  const state: SimulatedState = {
    ...empty,
    runs: (yield* read(runs)).runs,
    artifacts: yield* published(place.artifacts)
  }
  const known = new Set(Object.keys(state.artifacts))
  const save = Effect.fnUntraced(function* ({ artifacts, runs: own }: SimulatedState) {
    for (const [digest, ability] of Object.entries(artifacts)) {
      if (known.has(digest)) continue
      const text = JSON.stringify({ ...empty, artifacts: { [digest]: ability } })
      const { base, dir } = path.parse(place.artifacts)
      yield* publish(dir, base, digest, path.basename(path.dirname(place.state)), { [POLICY]: text })
      known.add(digest)
    }
    yield* writeFile(runs, JSON.stringify({ ...empty, runs: own }))
  })
  return { state, save }
})

const policy = Effect.fnUntraced(function* (
  manifest: Manifest,
  base: string,
  place: TrainerPlace,
  settings: SimulationSettings
) {
  const seed = Seed.root(manifest.seed)
  const { sets } = yield* loadQuestions(manifest.questions, Seed.child(seed, "questions"), base)
  const all = [...sets.train, ...Object.values(sets.evaluation).flat()]
  const { save, state } = yield* stored(place)
  const services = yield* Effect.context<NodeServices.NodeServices>()
  const { generator, trainer } = yield* simulatedPolicy({
    questions: simulatedQuestions(all, {
      // difficulties belong to the questions: runs that differ in their seed alone have equal ones
      seed: Seed.child(Seed.root(0), "simulation"),
      mean: settings.difficulty_mean,
      deviation: settings.difficulty_deviation
    }),
    start: settings.start,
    learning: { gain: settings.gain, reach: settings.reach },
    author: settings.author,
    imitation: settings.imitation,
    formatError: settings.format_error,
    truncated: settings.truncated,
    state,
    // a state that cannot be written is no checkpoint: the run ends there
    save: (now) => Effect.orDie(Effect.provide(save(now), services)),
    decode: decodeUpdate,
    refuse: (refusal) => new TrainerRefused(refusal),
    fail: (reason) => new GeneratorFailed({ url: "simulated", reason, retryable: false })
  })
  return Layer.merge(Layer.succeed(Trainer, Trainer.of(trainer)), Layer.succeed(Generator, Generator.of(generator)))
})

/** What the simulated answers are scored by: they are the truth or they are not, and nobody is paid to judge them. */
const simulatedRewards = ({
  cascade: _cascade,
  format,
  format_options: _options,
  judge: _judge,
  ...rest
}: RewardsSpec) =>
  ({ ...rest, accuracy: "exact", answer: "after_think", format: format === "none" ? "none" : "thinking" }) as const

/** Everything that a simulated run works with. */
export const simulation = (
  manifest: Manifest,
  base: string,
  place: TrainerPlace,
  settings: SimulationSettings
): Layer.Layer<RunEngines, QuestionsError | RunFileFailed | Config.ConfigError> =>
  Layer.mergeAll(
    Layer.unwrap(policy(manifest, base, place, settings)),
    // a real run of the same manifest has the same name: no tracker may take the two for one
    trackers(manifest, `simulated/${basename(dirname(place.state))}`),
    JudgeCalibration.layerNone,
    Scorer.layer(simulatedRewards(manifest.rewards))
  ).pipe(Layer.provide(NodeServices.layer))
