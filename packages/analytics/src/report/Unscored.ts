/** How many samples nobody could score, by where they arose. They count neither as right nor as wrong. */
import type { RunRecord } from "@gradus/domain/RunRecord"
import { sum } from "simple-statistics"

export interface UnscoredCounts {
  readonly profile: number
  readonly training: number
  readonly evaluation: number
  readonly total: number
}

/** Counts unscored samples of a run. */
export const unscoredCounts = (record: RunRecord): UnscoredCounts => {
  const profile = sum(record.profile.map(({ n, scored }) => n - scored))
  const training = sum(
    record.metrics.flatMap(({ metrics, stage }) => (stage === "train" ? [metrics["unscored"] ?? 0] : []))
  )
  const evaluation = sum(record.evaluation.map(({ unscored }) => unscored))
  return { profile, training, evaluation, total: profile + training + evaluation }
}
