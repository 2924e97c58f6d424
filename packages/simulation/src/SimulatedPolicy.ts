/**
 * A simulated policy: the ports of generation and of the trainer over one latent-ability model, so that whole experiments, resumes and faults run in
 * seconds without torch, and equal seeds give equal bytes. It is a simulation and says so: `device` is "simulated" in its info, in the lineage of
 * every run that uses it, and its digests stand for no weights.
 */
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { UpdateBatch } from "@gradus/domain/UpdateBatch"
import type { SimulatedQuestion } from "./SimulatedAnswers.ts"
import { simulatedGenerator } from "./SimulatedGenerator.ts"
import type { Learning } from "./SimulatedModel.ts"
import { empty, type SimulatedState } from "./SimulatedState.ts"
import { type Refusal, simulatedTrainer } from "./SimulatedTrainer.ts"

export interface SimulatedPolicyOptions<TrainerError, GeneratorError> {
  /** All questions that will be asked, of training and evaluation sets. */
  readonly questions: ReadonlyMap<string, SimulatedQuestion>
  /** Absent: gain 0.5, reach 1.5 in difficulty: 44 steps of 32 x 16 raise it from 1 to 4. */
  readonly learning?: Learning | undefined
  /** Ability before anything is learnt; absent: 0 (at difficulty 0 half of the answers are right). */
  readonly start?: number | undefined
  /** Ability of the author of warm-up examples; absent: 1. One update goes `imitation` (absent: 0.02) of the way to it. */
  readonly author?: number | undefined
  readonly imitation?: number | undefined
  /** Shares of completions in the wrong format and of completions cut at the limit; absent: 0.02 and 0. */
  readonly formatError?: number | undefined
  readonly truncated?: number | undefined
  /** A state that `save` was given in an earlier process; absent: nothing has happened yet. */
  readonly state?: SimulatedState | undefined
  readonly save?: ((state: SimulatedState) => Effect.Effect<void>) | undefined
  readonly decode: (bytes: Uint8Array) => Effect.Effect<UpdateBatch, { readonly message: string }>
  readonly refuse: (refusal: Refusal) => TrainerError
  readonly fail: (reason: string) => GeneratorError
}

/** Completions whose log-probabilities are kept for the trainer: those of the last few steps. */
const REMEMBERED = 50_000

/** Makes the two ports: `Trainer.of(policy.trainer)` and `Generator.of(policy.generator)` are their services. */
export const simulatedPolicy = Effect.fnUntraced(function* <TrainerError, GeneratorError>(
  options: SimulatedPolicyOptions<TrainerError, GeneratorError>
) {
  const state = yield* Ref.make(options.state ?? empty)
  const sampled = new Map<string, ReadonlyArray<number>>()
  const remember = (sampleId: string, logprobs: ReadonlyArray<number>): void => {
    sampled.delete(sampleId)
    sampled.set(sampleId, logprobs)
    const oldest = sampled.size > REMEMBERED ? sampled.keys().next().value : undefined
    if (oldest !== undefined) sampled.delete(oldest)
  }
  return {
    state: Ref.get(state),
    generator: simulatedGenerator(state, {
      questions: options.questions,
      formatError: options.formatError ?? 0.02,
      truncated: options.truncated ?? 0,
      fail: options.fail,
      remember
    }),
    trainer: simulatedTrainer(state, {
      questions: options.questions,
      learning: options.learning ?? { gain: 0.5, reach: 1.5 },
      start: options.start ?? 0,
      author: options.author ?? 1,
      imitation: options.imitation ?? 0.02,
      decode: options.decode,
      refuse: options.refuse,
      save: options.save,
      sampled: (sampleId) => sampled.get(sampleId)
    })
  }
})
