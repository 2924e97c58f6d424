/** What nobody could score outside of training: `gradus rejudge` says it, so that a reading is not taken for a whole one. */
import type { ProfileRow } from "@gradus/domain/Profile"
import type { EvaluationReading } from "@gradus/domain/RunRecord"

/** Completions of a profile (step 0) or of an evaluation set (`eval/<set>`) that have no score. */
export interface UnscoredPart {
  readonly stage: string
  readonly step: number
  readonly samples: number
  readonly unscored: number
}

const partOf = ({ samples, set, step, unscored }: EvaluationReading): UnscoredPart => ({
  stage: `eval/${set}`,
  step,
  samples,
  unscored
})

/** Lists the parts of a run beside its training in which something is unscored, in the order of the readings. */
export const unscoredElsewhere = (
  profile: ReadonlyArray<Pick<ProfileRow, "n" | "scored">>,
  evaluation: ReadonlyArray<EvaluationReading>
): ReadonlyArray<UnscoredPart> => {
  const samples = profile.reduce((sum, { n }) => sum + n, 0)
  const unscored = profile.reduce((sum, { n, scored }) => sum + n - scored, 0)
  return [{ stage: "profile", step: 0, samples, unscored }, ...evaluation.map(partOf)].filter(
    (part) => part.unscored > 0
  )
}
