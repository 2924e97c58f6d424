/** The port of the trainer service: whoever trains has this, whatever is behind it. */
import type {
  CheckpointAnswer,
  PublishAnswer,
  PublishTarget,
  TrainerInfo,
  TrainerRun,
  UpdateAnswer
} from "@gradus/domain/TrainerMessages"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { LogprobRow, TokenLogprobs } from "./LogprobsCodec.ts"
import type { RunSpec } from "./RunSpec.ts"
import type { TrainerError } from "./TrainerErrors.ts"
import type { EncodedUpdate } from "./UpdateCodec.ts"

/** Trains one policy a run by numbered updates, each applied exactly once. Every call ends by a deadline and fails with a `TrainerError`. */
export class Trainer extends Context.Service<
  Trainer,
  {
    /** Says what the service is, how deterministic, and which runs it has open. */
    readonly info: Effect.Effect<TrainerInfo, TrainerError>
    /** Opens or re-opens a run; each opening takes a newer lease and fences off whoever held the last one. */
    readonly open: (run: string, spec: RunSpec) => Effect.Effect<TrainerRun, TrainerError>
    /** Sends one update and waits for its answer. Sending the same bytes again returns the stored answer with `replayed`. */
    readonly update: (run: TrainerRun, update: EncodedUpdate) => Effect.Effect<UpdateAnswer, TrainerError>
    /** Reads the answer of an update that was applied earlier; none when the service has not seen it. */
    readonly storedUpdate: (run: TrainerRun, update: number) => Effect.Effect<Option.Option<UpdateAnswer>, TrainerError>
    /** Computes log-probabilities and entropies of given tokens under the live weights, in the order of the rows. */
    readonly logprobs: (
      run: TrainerRun,
      rows: ReadonlyArray<LogprobRow>
    ) => Effect.Effect<ReadonlyArray<TokenLogprobs>, TrainerError>
    /** Makes all applied updates durable; with `policy` also writes the weights to the artifacts directory. */
    readonly checkpoint: (
      run: TrainerRun,
      name: string,
      options: { readonly policy: boolean }
    ) => Effect.Effect<CheckpointAnswer, TrainerError>
    /** Brings the weights of a version to all engines and proves that they hold them; a failure leaves the engine that failed paused. */
    readonly publish: (
      run: TrainerRun,
      version: number,
      targets: ReadonlyArray<PublishTarget>
    ) => Effect.Effect<PublishAnswer, TrainerError>
    /** Frees the run's memory; what is on disk stays. */
    readonly close: (run: TrainerRun) => Effect.Effect<void, TrainerError>
    /** Turns texts into token ids; adds no token. */
    readonly tokenize: (
      run: TrainerRun,
      texts: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<ReadonlyArray<number>>, TrainerError>
    /** Turns token ids into texts; pad and end are left out. */
    readonly detokenize: (
      run: TrainerRun,
      ids: ReadonlyArray<ReadonlyArray<number>>
    ) => Effect.Effect<ReadonlyArray<string>, TrainerError>
  }
>()("@gradus/trainer-client/Trainer") {}
