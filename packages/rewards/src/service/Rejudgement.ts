/** Rejudgement: stored completions are scored again, without generating any. */
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { RolloutRow } from "@gradus/domain/RunRecord"
import type { Score } from "@gradus/domain/Score"
import type { VerdictRecord } from "@gradus/domain/VerdictRecord"
import * as Effect from "effect/Effect"
import { verdictRecords } from "../judge/JudgeMetrics.ts"
import { compareScores, type Comparison, requestOf, type Weighing } from "../Rejudge.ts"
import { Scorer } from "./Scorer.ts"

/** Which completions are scored again: those that have no value, or all. */
export type Which = "unscored" | "all"

export interface Rejudgement extends Comparison {
  readonly verdicts: ReadonlyArray<VerdictRecord>
}

const weighingOf = ({ rewards, train }: Pick<Manifest, "rewards" | "train">): Weighing | undefined =>
  rewards.control === "shuffled"
    ? undefined
    : { rule: train.advantage, floor: train.group_floor, tolerance: train.constant_tolerance }

/**
 * Scores stored rows again with the scorer that is provided (of the run's manifest, or of another) and says what would have changed
 * under the manifest's advantage rule. Nothing is stored here.
 */
export const rejudge = Effect.fn("Rejudgement.rejudge")(function* (
  manifest: Pick<Manifest, "rewards" | "train">,
  rows: ReadonlyArray<RolloutRow>,
  which: Which
): Effect.fn.Return<Rejudgement, never, Scorer> {
  const { score } = yield* Scorer
  const requests = rows.filter((row) => which === "all" || row.value === null).map(requestOf)
  const scores = yield* score(requests)
  const byId = new Map(
    requests.flatMap(({ id }, i): ReadonlyArray<readonly [string, Score]> => {
      const own = scores[i]
      return own === undefined ? [] : [[id, own]]
    })
  )
  return { ...compareScores(rows, byId, weighingOf(manifest)), verdicts: verdictRecords(requests, scores) }
})
