/** Whole runs without torch: the stages of this package over a simulated policy, in a directory of their own. A crash is a port that dies at its n-th call. */
import { Manifest } from "@gradus/domain/manifest/Manifest"
import { RunLease } from "@gradus/domain/RunLease"
import * as Seed from "@gradus/domain/Seed"
import { loadQuestions } from "@gradus/datasets/service/LoadQuestions"
import { identity } from "@gradus/manifest/Resolve"
import { Generator, GeneratorFailed } from "@gradus/inference/Generator"
import { JudgeCalibration } from "@gradus/rewards/service/JudgeCalibration"
import { Scorer } from "@gradus/rewards/service/Scorer"
import { simulatedQuestions } from "@gradus/simulation/SimulatedAnswers"
import { simulatedPolicy } from "@gradus/simulation/SimulatedPolicy"
import { empty, type SimulatedState } from "@gradus/simulation/SimulatedState"
import { Trainer } from "@gradus/trainer-client/Trainer"
import { TrainerRefused } from "@gradus/trainer-client/TrainerErrors"
import { decodeUpdate } from "@gradus/trainer-client/UpdateCodec"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { planOf, run, type RunInput } from "../src/Run.ts"

/** A run of seconds: 60 questions of sorting, profile, filter, 6 steps and two evaluations. */
export const settings = {
  version: 1,
  name: "simulated",
  questions: { kind: "sorting", train: 60, heldout: 10, hard: 5 },
  prompt: { template: "{mode}{question}", mode: { on: "+", off: "-" } },
  policy: { kind: "huggingface", path: "policy" },
  sampling: { max_tokens: 64 },
  rewards: { accuracy: "exact" },
  train: { steps: 6, prompts_per_step: 4, samples_per_prompt: 4, learning_rate: { peak: 1e-3 }, checkpoint_every: 2 },
  evaluate: { samples: 1, every: 2 }
}

export const manifestOf = (over: object): Manifest => Schema.decodeUnknownSync(Manifest)({ ...settings, ...over })

/** What outlives an orchestrator: the trainer service, as it is or as its last checkpoint has it. */
export interface Service {
  live: SimulatedState
  durable: SimulatedState
}

export const service = (): Service => ({ live: empty, durable: empty })

/** The orchestrator is gone; everything that was on disk is still there. */
export class Crashed extends Error {}

export interface Crash {
  /** The call of a port, counted from 1, at which the orchestrator dies. */
  readonly at: number
  /** Whether the call has taken effect when it dies. */
  readonly after: boolean
}

/** Says of a training step's group whether its completions fail, but for the first. */
export type Fails = (step: number, question_id: string) => boolean

/** Lets groups of training steps fail, as servers do. */
const failing =
  (generate: Generator["Service"]["generate"], fails: Fails): Generator["Service"]["generate"] =>
  (request) =>
    Effect.map(generate(request), (groups) =>
      groups.map((group, i) => {
        const { question_id = "" } = request.groups[i] ?? {}
        if (request.stage !== "train" || !fails(request.step, question_id)) return group
        const [first, ...others] = group.completions
        return {
          ...group,
          completions: first === undefined ? [] : [first],
          failures: others.map(({ group_id, k, sample_id }) => ({ group_id, k, sample_id, failure: "simulated" }))
        }
      })
    )

const byRule = (manifest: Manifest) =>
  Layer.merge(Scorer.layer({ ...manifest.rewards, accuracy: "exact" }), JudgeCalibration.layerNone)

const engines = (
  manifest: Manifest,
  kept: Service,
  crash: Crash | undefined,
  fails: Fails,
  scoring: Layer.Layer<Scorer | JudgeCalibration>
) => {
  let calls = 0
  const fragile = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      calls += 1
      if (calls !== crash?.at) return call
      return crash.after ? Effect.andThen(call, Effect.die(new Crashed())) : Effect.die(new Crashed())
    })
  const policy = Effect.gen(function* () {
    const { sets } = yield* loadQuestions(manifest.questions, Seed.child(Seed.root(manifest.seed), "questions"), ".")
    const all = [...sets.train, ...Object.values(sets.evaluation).flat()]
    const made = yield* simulatedPolicy({
      questions: simulatedQuestions(all, { seed: Seed.root(1) }),
      state: kept.live,
      save: (state) => Effect.sync(() => (kept.durable = state)),
      decode: decodeUpdate,
      refuse: (refusal) => new TrainerRefused(refusal),
      fail: (reason) => new GeneratorFailed({ url: "simulated", reason, retryable: false })
    })
    const remember = <A, E>(call: Effect.Effect<A, E>) =>
      Effect.tap(call, () => Effect.map(made.state, (state) => (kept.live = state)))
    const { generator, trainer } = made
    return Layer.mergeAll(
      Layer.succeed(
        Generator,
        Generator.of({ ...generator, generate: (request) => fragile(failing(generator.generate, fails)(request)) })
      ),
      Layer.succeed(
        Trainer,
        Trainer.of({
          ...trainer,
          open: (name, spec) => fragile(remember(trainer.open(name, spec))),
          update: (one, update) => fragile(remember(trainer.update(one, update))),
          checkpoint: (one, name, options) => fragile(remember(trainer.checkpoint(one, name, options)))
        })
      )
    )
  })
  return Layer.merge(Layer.unwrap(policy), scoring).pipe(Layer.provide(NodeServices.layer))
}

const lease = Layer.succeed(
  RunLease,
  RunLease.of({
    acquire: (_, { number }) =>
      Effect.succeed({
        record: { format: 1, number: number + 1, store: "local", owner: "test" },
        verify: Effect.void,
        lost: Effect.never
      })
  })
)

/** Runs a manifest in a directory of runs; the same call again goes on. Scores by the exact rule, unless it is told otherwise. */
export const simulate = (
  manifest: Manifest,
  runs: string,
  kept: Service,
  crash?: Crash,
  fails: Fails = () => false,
  scoring: Layer.Layer<Scorer | JudgeCalibration> = byRule(manifest)
) => run(inputOf(manifest, runs), engines(manifest, kept, crash, fails, scoring)).pipe(Effect.provide(lease))

/** Goes with a manifest up to its plan. */
export const planned = (manifest: Manifest, runs: string, kept: Service) =>
  planOf(
    inputOf(manifest, runs),
    engines(manifest, kept, undefined, () => false, byRule(manifest))
  ).pipe(Effect.provide(lease))

const inputOf = (manifest: Manifest, runs: string): RunInput => {
  const digest = identity(manifest)
  return {
    resolved: { manifest, digest, provenance: [] },
    written: "",
    base: runs,
    root: `${runs}/${manifest.name}--${digest.slice(0, 12)}`,
    origin: {
      commit: null,
      dirty: null,
      locks: {},
      versions: {},
      hardware: { cpus: 1, cpu_model: "none", memory_bytes: 1, platform: "none" }
    }
  }
}

/** Gives a test a directory of runs that is gone afterwards. */
export const inTemporaryRuns = <A, E, R>(use: (runs: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    return yield* use(path.join(yield* fs.makeTempDirectoryScoped(), "runs"))
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
