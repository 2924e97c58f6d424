/** The manifest's policy in the trainer's words. */
import * as Seed from "@gradus/domain/Seed"
import type { RunSpec } from "@gradus/trainer-client/RunSpec"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import type { RunContext } from "./Context.ts"

/** Names the policy that training starts from: a random one gets its seed from the tree, a path starts where the manifest lies. */
export const trainerPolicy = Effect.fnUntraced(function* (
  context: RunContext
): Effect.fn.Return<RunSpec["policy"], never, Path.Path> {
  const { policy } = context.manifest
  if (policy.kind === "init") return { ...policy, seed: Seed.toInt(Seed.child(context.seed, "policy")) }
  if (policy.kind === "artifact") return policy
  const path = yield* Path.Path
  return { ...policy, path: path.resolve(context.base, policy.path) }
})
