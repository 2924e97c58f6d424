/** The parts of a run that an application chooses: trainer, generator, scorer, lease. Commands ask for them here; main.ts says which they are. */
import type { JudgeLedger } from "@gradus/domain/JudgeLedger"
import type { LiveEvents } from "@gradus/domain/LiveEvents"
import type { RunLease } from "@gradus/domain/RunLease"
import type { StoreError } from "@gradus/domain/StoreError"
import type { JobBoard, WorkQueue } from "@gradus/domain/WorkQueue"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import type { QuestionsError } from "@gradus/datasets/service/LoadQuestions"
import type { RunFileFailed } from "@gradus/experiment/AtomicFile"
import type { RunEngines } from "@gradus/experiment/Run"
import type { GeneratorFailed } from "@gradus/inference/Generator"
import type { Wire } from "@gradus/inference/Wire"
import type { Scorer } from "@gradus/rewards/service/Scorer"
import type { JudgeStoreFailed } from "@gradus/store/EmbeddedJudgeDatabase"
import type { SimulationSettings } from "@gradus/simulation/SimulationSettings"
import type { CellEngines } from "@gradus/sweep/Engines"
import type { TrainerStartFailed } from "@gradus/trainer-client/EmbeddedTrainer"
import type { TrainerAddress } from "@gradus/trainer-client/TrainerAddress"
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

/** The trainer's Python is not there. */
export class PythonMissing extends Schema.TaggedError<PythonMissing>()("PythonMissing", { path: Schema.String }) {
  override get message(): string {
    return `the trainer's Python is not at ${this.path}: run \`npm run setup\` first`
  }
}

/** Where a run's trainer keeps its state and its policies. */
export interface TrainerPlace {
  /** Directory for what is needed to go on after a crash. */
  readonly state: string
  /** Directory of stage outputs that runs share. */
  readonly artifacts: string
  /** Directory for the trainer's log. */
  readonly logs: string
  /** Port of its own; absent or 0: any free one. */
  readonly port?: number
  /** Where the run's judge counts; absent: in this process. */
  readonly judge?: JudgePlace
  /** Workers that the policy is cut over, in place of what the manifest says. */
  readonly workers?: { readonly processes: number; readonly replicas: number }
}

/** What workers share: a Redis for any number of hosts, or a file for the processes of one. */
export type StorePlace =
  | { readonly kind: "redis"; readonly url: Redacted.Redacted }
  | { readonly kind: "file"; readonly file: string }

export type StoreServices = RunLease | WorkQueue | JobBoard | LiveEvents

/** What judges share: on one machine through a file, on many through Redis. */
export interface JudgePlace {
  /** Holds verdicts, rates, circuits and money. */
  readonly store: StorePlace
  /** Whose money is spent; absent: a budget and circuits of its own, for this process. */
  readonly account?: string
}

/** What judges share could not be opened. */
export type JudgeStoreError = JudgeStoreFailed | StoreError

export type EngineError = PythonMissing | TrainerStartFailed | GeneratorFailed | Config.ConfigError | JudgeStoreError

export class Engines extends Context.Service<
  Engines,
  {
    readonly lease: Layer.Layer<RunLease>
    /** Plain HTTP with so many connections to each server. */
    readonly wire: (connections: number) => Layer.Layer<Wire>
    /** What workers share. `lease` is after how many seconds a worker that is not heard of loses its work. */
    readonly store: (place: StorePlace, lease?: number) => Layer.Layer<StoreServices, StoreError>
    /** Without a place a judge shares nothing. */
    readonly scorer: (
      rewards: RewardsSpec,
      place?: JudgePlace
    ) => Layer.Layer<Scorer, Config.ConfigError | JudgeStoreError>
    /** The money of the judges of a place. */
    readonly ledger: (place: JudgePlace) => Layer.Layer<JudgeLedger, JudgeStoreError>
    /** The trainer service itself: started, or found at the manifest's address. */
    readonly trainer: (trainer: Manifest["trainer"], place: TrainerPlace) => Layer.Layer<TrainerAddress, EngineError>
    /** All that a run works with. */
    readonly run: (manifest: Manifest, place: TrainerPlace) => Layer.Layer<RunEngines, EngineError>
    /** A simulated policy in the place of a trainer and its generator; `base` is where the manifest's paths start. */
    readonly simulation: (
      manifest: Manifest,
      base: string,
      place: TrainerPlace,
      settings: SimulationSettings
    ) => Layer.Layer<RunEngines, QuestionsError | RunFileFailed | Config.ConfigError>
    /** What runs the cells of a sweep, one after the other, over a trainer that stays. */
    readonly cells: (
      place: TrainerPlace,
      environment: Readonly<Record<string, string>>
    ) => Effect.Effect<CellEngines<EngineError>, never, Scope.Scope>
    /** The trainer's Python, whether it is there or not. */
    readonly python: string
  }
>()("@gradus/cli/Engines") {}
