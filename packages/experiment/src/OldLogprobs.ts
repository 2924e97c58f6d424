/** Log-probabilities of the policy before the first of several updates (the ratio's denominator). */
import type { TrainerRun } from "@gradus/domain/TrainerMessages"
import type { UpdateRow } from "@gradus/domain/UpdateBatch"
import { Trainer } from "@gradus/trainer-client/Trainer"
import * as Effect from "effect/Effect"

/** Adds `old_logprob` to rows, in their order. */
export const withOldLogprobs = Effect.fn("OldLogprobs.with")(function* (
  run: TrainerRun,
  rows: ReadonlyArray<UpdateRow>
) {
  const trainer = yield* Trainer
  const answer = yield* trainer.logprobs(run, rows)
  return rows.map((row, index): UpdateRow => ({ ...row, old_logprob: answer[index]?.logprob ?? [] }))
})
