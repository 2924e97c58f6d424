/** The policy of a run while it is trained: the trainer's run that holds its live weights. */
import type { TrainerRun } from "@gradus/domain/TrainerMessages"

export interface TrainedPolicy {
  readonly run: TrainerRun
  /** The run that holds the weights that training started from, where the loss has a KL penalty to them. */
  readonly reference: TrainerRun | undefined
  /** The name under which the generator knows it. */
  readonly model: string
  /** Number of applied updates. */
  readonly version: number
  /** Digest of the weights that training started from. */
  readonly start: string
}
