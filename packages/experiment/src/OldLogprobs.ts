/** Log-probabilities that an update needs beside the sampler's: of the policy before the first of several updates, and of the reference. */
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

/** Adds `ref_logprob` to rows, in their order, where there is a reference. */
export const withReference = Effect.fn("OldLogprobs.withReference")(function* (
  reference: TrainerRun | undefined,
  rows: ReadonlyArray<UpdateRow>
) {
  if (reference === undefined) return rows
  const answer = yield* (yield* Trainer).logprobs(reference, rows)
  return rows.map((row, index): UpdateRow => ({ ...row, ref_logprob: answer[index]?.logprob ?? [] }))
})
