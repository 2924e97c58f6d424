/** What a judge said of completions, stored beside them. */
import type { RolloutRow } from "@gradus/domain/RunRecord"
import { VerdictRecord } from "@gradus/domain/VerdictRecord"
import { encodeRows } from "@gradus/datasets/Parquet"
import { verdictRecords } from "@gradus/rewards/judge/JudgeMetrics"
import * as Effect from "effect/Effect"
import { writeFile } from "./AtomicFile.ts"
import type { ScoredGroup } from "./Sampling.ts"

/** Writes the verdicts of groups; no file where no judge was asked. `rows` are the groups' rollouts, in the same order. */
export const storeVerdicts = Effect.fn("Verdicts.store")(function* (
  file: string,
  rows: ReadonlyArray<RolloutRow>,
  groups: ReadonlyArray<ScoredGroup>
) {
  const scores = groups.flatMap((group) => group.scores)
  const records = verdictRecords(
    rows.map(({ sample_id }) => ({ id: sample_id })),
    scores
  )
  if (records.length > 0) yield* writeFile(file, yield* encodeRows(VerdictRecord, records))
})
