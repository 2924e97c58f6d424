/** A rewards spec for tests: the manifest's defaults with some keys replaced. */
import { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import * as Schema from "effect/Schema"

export const rewards = (written: typeof RewardsSpec.Encoded = {}): RewardsSpec =>
  Schema.decodeSync(RewardsSpec)(written)
