/** Progress of a run, for whoever watches. Nothing in a run depends on it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

export interface ProgressEvent {
  readonly stage: string
  /** Units done and to do in this stage, e.g. updates, questions or steps. */
  readonly done: number
  readonly total: number
  readonly unit: string
  /** A few words, e.g. "reward 0.41". */
  readonly note?: string
}

/** Reports progress; silent unless an application provides an observer. */
export const Progress = Context.Reference<(event: ProgressEvent) => Effect.Effect<void>>(
  "@gradus/experiment/Progress",
  {
    defaultValue: () => () => Effect.void
  }
)

/** Says how far a stage is. */
export const report = (event: ProgressEvent): Effect.Effect<void> =>
  Effect.flatMap(Progress, (observe) => observe(event))
