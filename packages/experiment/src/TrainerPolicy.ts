/** The manifest's policy in the trainer's words. */
import * as Seed from "@gradus/domain/Seed"
import type { RunSpec } from "@gradus/trainer-client/RunSpec"
import type { RunContext } from "./Context.ts"

/** Names the policy that training starts from; a random one gets its seed from the tree. */
export const trainerPolicy = (context: RunContext): RunSpec["policy"] => {
  const policy = context.manifest.policy
  return policy.kind === "init" ? { ...policy, seed: Seed.toInt(Seed.child(context.seed, "policy")) } : policy
}
