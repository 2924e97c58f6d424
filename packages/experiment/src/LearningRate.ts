/** Learning rate by update: a linear rise, then constant, cosine or linear fall. */
import type { LearningRateSpec } from "@gradus/domain/manifest/Policy"

/** Gives the rate of an update (from 1 to `updates`). The first of `warmup_updates` has peak / warmup_updates; the last update has `final_share` of the peak. */
export const learningRate = (spec: LearningRateSpec, update: number, updates: number): number => {
  if (update <= spec.warmup_updates) return (spec.peak * update) / spec.warmup_updates
  const rest = Math.max(1, updates - spec.warmup_updates)
  const progress = Math.min(1, (update - spec.warmup_updates) / rest)
  const share = {
    constant: 1,
    linear: 1 - (1 - spec.final_share) * progress,
    cosine: spec.final_share + ((1 - spec.final_share) * (1 + Math.cos(Math.PI * progress))) / 2
  }[spec.shape]
  return spec.peak * share
}
