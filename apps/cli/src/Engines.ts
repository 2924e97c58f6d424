/** The parts of a run that an application chooses: trainer, generator, scorer, lease. Commands ask for them here; main.ts says which they are. */
import type { RunLease } from "@gradus/domain/RunLease"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import type { RunEngines } from "@gradus/experiment/Run"
import type { GeneratorFailed } from "@gradus/inference/Generator"
import type { Scorer } from "@gradus/rewards/service/Scorer"
import type { TrainerStartFailed } from "@gradus/trainer-client/EmbeddedTrainer"
import type { TrainerAddress } from "@gradus/trainer-client/TrainerAddress"
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

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
}

export type EngineError = PythonMissing | TrainerStartFailed | GeneratorFailed | Config.ConfigError

export class Engines extends Context.Service<
  Engines,
  {
    readonly lease: Layer.Layer<RunLease>
    readonly scorer: (rewards: RewardsSpec) => Layer.Layer<Scorer, Config.ConfigError>
    /** The trainer service itself: started, or found at the manifest's address. */
    readonly trainer: (trainer: Manifest["trainer"], place: TrainerPlace) => Layer.Layer<TrainerAddress, EngineError>
    /** All that a run works with. */
    readonly run: (manifest: Manifest, place: TrainerPlace) => Layer.Layer<RunEngines, EngineError>
    /** The trainer's Python, whether it is there or not. */
    readonly python: string
  }
>()("@gradus/cli/Engines") {}
