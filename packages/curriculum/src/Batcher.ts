/** The one interface of all batchers: a policy over which questions come next, whose state is a plain value with a schema. */
import type { PlannedBatch } from "@gradus/domain/Plan"
import type { RatedQuestion } from "@gradus/domain/Profile"
import type { Seed } from "@gradus/domain/Seed"
import type * as Schema from "effect/Schema"

/** What came of a question that was drawn. */
export interface Outcome {
  readonly question_id: string
  /** Completions with a score; 0: the group could not be scored, and the question goes back to its pool. */
  readonly scored: number
  readonly passed: number
  /** Mean absolute advantage of the group's completions; absent: what GRPO gives for `passed` of `scored` binary rewards. */
  readonly advantage?: number | undefined
}

/** What every batcher needs to know besides its own settings. */
export interface DrawOptions {
  /** Questions in a batch. */
  readonly promptsPerStep: number
  /** Steps that will be drawn; absent: one pass over the pool. */
  readonly steps?: number | undefined
  readonly seed: Seed
  /** Whether a last batch that is not full is drawn. */
  readonly lastBatch: "partial" | "drop"
}

/** The distribution over pass rates that a batch aims at. */
export interface Target {
  /** Pass rates and the share of the batch wanted at each; equal rates of several domains stand apart. */
  readonly rates: ArrayLike<number>
  readonly shares: ArrayLike<number>
  /** Width of the distribution in pass rate, where it has one. */
  readonly sigma: number | null
}

/**
 * Laws, tested for each implementation by the same suite:
 * drawing from a decoded snapshot equals drawing from the state it was taken of; without replacement and without outcomes that send
 * questions back every question of the pool is drawn once (but for a dropped last batch); no batch has a question twice; batches are
 * full, but for a partial last one and pools smaller than a batch; with replacement no question starves, as far as the batcher promises it
 * (`docs/curriculum.md` says what each does);
 * the same pool (rows in any order), options, outcomes and seed give the same batches.
 */
export interface Batcher<State, Options extends DrawOptions> {
  /** A whole state goes through this schema: encoding it is the snapshot, decoding it the restoration. */
  readonly stateSchema: Schema.Codec<State, unknown>
  /** Begins a pass. Throws `PoolInvalid` for ids that occur twice and questions without a pass rate. */
  readonly init: (pool: ReadonlyArray<RatedQuestion>, options: Options) => State
  /**
   * Draws the next batch, or so many questions more for the step of the batch before (a gate's refill): paths over steps stay there, and fewer come where
   * fewer are left. Undefined when the pool is empty.
   */
  readonly draw: (state: State, refill?: number) => readonly [PlannedBatch, State] | undefined
  /** Learns what came of the last batch drawn; outcomes of other questions are ignored. */
  readonly observe: (state: State, outcomes: ReadonlyArray<Outcome>) => State
  /** Says what the next batch aims at; null for batchers that aim at no distribution, and when nothing is left. */
  readonly target: (state: State) => Target | null
  /** Tells what is worth plotting, by name. */
  readonly metrics: (state: State) => Readonly<Record<string, number>>
}

/** Counts the batches of one pass. */
export const passLength = (questions: number, options: Pick<DrawOptions, "promptsPerStep" | "lastBatch">): number =>
  options.lastBatch === "drop"
    ? Math.floor(questions / options.promptsPerStep)
    : Math.ceil(questions / options.promptsPerStep)

/** Counts the questions that a draw takes of what is left: a batch, or what a refill lacks; 0 where a last batch that is not full is dropped. */
export const drawSize = (
  left: number,
  { lastBatch, promptsPerStep }: Pick<DrawOptions, "promptsPerStep" | "lastBatch">,
  refill?: number
): number => {
  if (refill !== undefined) return Math.min(refill, left)
  return left < promptsPerStep && lastBatch === "drop" ? 0 : Math.min(promptsPerStep, left)
}
