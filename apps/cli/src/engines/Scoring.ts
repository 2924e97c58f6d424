/** The scorer that rewards ask for: by rules, or with a judge over HTTP. */
import type { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import { needsNoJudge } from "@gradus/rewards/Score"
import { Judge } from "@gradus/rewards/service/Judge"
import { Scorer } from "@gradus/rewards/service/Scorer"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** Chooses the scorer. `judge` without an endpoint was refused with the manifest. */
export const scoring = (rewards: RewardsSpec): Layer.Layer<Scorer, Config.ConfigError> => {
  const { judge } = rewards
  if (needsNoJudge(rewards)) return Scorer.layer(rewards)
  if (judge === undefined) return Layer.effectContext(Effect.die(new Error("a judge is asked for and none is named")))
  return Scorer.layerJudge(rewards).pipe(Layer.provide(Judge.layer(judge)), Layer.provide(NodeHttpClient.layerUndici))
}
