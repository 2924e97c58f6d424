/** The scorer that rewards ask for: by rules, or with a judge over HTTP that shares what it counts with the runs beside it. */
import type { JudgeSpec, RewardsSpec } from "@gradus/domain/manifest/Rewards"
import { JudgeLedger } from "@gradus/domain/JudgeLedger"
import { VerdictCache } from "@gradus/domain/VerdictCache"
import { needsNoJudge } from "@gradus/rewards/Score"
import { Judge } from "@gradus/rewards/service/Judge"
import { JudgeCalibration } from "@gradus/rewards/service/JudgeCalibration"
import { Scorer } from "@gradus/rewards/service/Scorer"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as RateLimiter from "effect/persistence/RateLimiter"
import type { JudgePlace, JudgeStoreError } from "../Engines.ts"
import { judgeStore } from "./JudgeStore.ts"

const memory = Layer.mergeAll(
  VerdictCache.layerMemory(),
  JudgeLedger.layerMemory,
  RateLimiter.layerStoreMemory,
  CircuitBreaker.layerStoreMemory()
)

/** What judges share: with all that use the place's store, or with nobody where there is no place. */
const stores = (place: JudgePlace | undefined) => {
  if (place === undefined) return memory
  const shared = judgeStore(place.store)
  // who judges again has money of his own, and looks for himself whether a judge that was down is back
  const own = Layer.merge(JudgeLedger.layerMemory, CircuitBreaker.layerStoreMemory())
  return place.account === undefined ? Layer.merge(shared, own) : shared
}

const judgeOf = (judge: JudgeSpec, place: JudgePlace | undefined) =>
  Judge.layerShared(judge, judge.account ?? place?.account ?? "process").pipe(
    Layer.provide(RateLimiter.layer),
    Layer.provide([stores(place), NodeHttpClient.layerUndici])
  )

/** Chooses the scorer. `judge` without an endpoint was refused with the manifest. */
export const scoring = (
  rewards: RewardsSpec,
  place: JudgePlace | undefined
): Layer.Layer<Scorer | JudgeCalibration, Config.ConfigError | JudgeStoreError> => {
  const { judge } = rewards
  if (needsNoJudge(rewards)) return Layer.merge(Scorer.layer(rewards), JudgeCalibration.layerNone)
  if (judge === undefined) return Layer.effectContext(Effect.die(new Error("a judge is asked for and none is named")))
  return Layer.merge(Scorer.layerJudge(rewards), JudgeCalibration.layer).pipe(Layer.provide(judgeOf(judge, place)))
}
