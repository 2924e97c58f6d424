/** Procedural tasks: questions that are made, not read, from a seed. */
import type { Question, QuestionSets, WorkedExample } from "@gradus/domain/Question"
import type { Seed } from "@gradus/domain/Seed"
import type * as Effect from "effect/Effect"
import type { QuestionSpaceExhausted } from "./DatasetErrors.ts"

export interface Task<Spec> {
  /** Makes the train set and the evaluation sets `heldout` and `hard`; no question text occurs twice in all of them. */
  readonly sets: (spec: Spec, seed: Seed) => Effect.Effect<QuestionSets, QuestionSpaceExhausted>
  /**
   * Makes the warm-up's example number `index` (from 0), by its index alone: examples can be asked for in any order.
   * Questions whose text is in `exclude` (all sets) are made again; two examples may be of one question.
   */
  readonly worked: (
    spec: Spec,
    seed: Seed,
    index: number,
    exclude: ReadonlySet<string>
  ) => Effect.Effect<WorkedExample, QuestionSpaceExhausted>
}

/** Collects the question texts of all sets, for `exclude`. */
export const textsOf = (sets: QuestionSets): ReadonlySet<string> =>
  new Set([sets.train, ...Object.values(sets.evaluation)].flat().map((question: Question) => question.question))

/** Names a question by its set and its place in it: `train-000012`. */
export const questionId = (set: string, index: number): string => `${set}-${String(index).padStart(6, "0")}`
