/** The policy that is trained: the trainer's run of it, and the weights that it starts from. */
import { Digest, ofJson } from "@gradus/domain/Digest"
import type { TrainerRun } from "@gradus/domain/TrainerMessages"
import type { RunSpec } from "@gradus/trainer-client/RunSpec"
import { Trainer } from "@gradus/trainer-client/Trainer"
import * as Effect from "effect/Effect"
import type { RunContext } from "./Context.ts"
import type { TrainedPolicy } from "./Policy.ts"
import { RunChanged } from "./RunChanged.ts"
import { trainerPolicy } from "./TrainerPolicy.ts"

/** Names the trainer's run of a run directory. */
export const trainerRunName = (run: string, manifestDigest: string): string =>
  `train-${ofJson({ run, manifest: manifestDigest }).slice(0, 16)}`

/**
 * Remembers the weights that training starts from, or finds those that an earlier attempt has remembered: a trainer that is further on tells those
 * that it has now. One that begins anew, with its state gone, must begin from the same: what was generated and sent since came from them.
 */
const startOf = Effect.fn("Run.start")(function* (context: RunContext, run: TrainerRun, reference: string | undefined) {
  const opened = context.journal.events().find((event) => event._tag === "policy_opened")
  if (opened === undefined) {
    const weights = reference ?? run.policy_digest
    yield* context.journal.commit({ _tag: "policy_opened", weights })
    return weights
  }
  const now = reference ?? (run.version === 0 ? run.policy_digest : opened.weights)
  if (now !== opened.weights)
    return yield* new RunChanged({ directory: context.directory.root, field: "policy.weights" })
  return opened.weights
})

/** Opens the trainer's run for GRPO: a run of its own, with fresh moments. The reference of a KL penalty is another one, which is never updated. */
export const openPolicy = Effect.fn("Run.openPolicy")(function* (context: RunContext, start: string | undefined) {
  const trainer = yield* Trainer
  const { manifest } = context
  const name = trainerRunName(context.directory.run, context.manifestDigest)
  const spec: RunSpec = {
    policy: start === undefined ? yield* trainerPolicy(context) : { kind: "artifact", digest: Digest.make(start) },
    optimizer: manifest.train.optimizer,
    micro_batch_tokens: manifest.trainer.micro_batch_tokens,
    dtype: manifest.trainer.dtype
  }
  const run = yield* trainer.open(name, spec)
  const reference =
    manifest.train.loss.kl_coef > 0 ? yield* trainer.open(name.replace("train-", "reference-"), spec) : undefined
  const policy: TrainedPolicy = {
    run,
    reference,
    model: name,
    version: run.version,
    start: start ?? (yield* startOf(context, run, reference?.policy_digest))
  }
  return policy
})
