/** Successive halving: at a rung the arms are ranked by their mean reading, and a share of them goes on. Pure. */
import { Digest } from "@gradus/domain/Digest"
import * as Schema from "effect/Schema"

export const ArmScore = Schema.Struct({
  arm: Schema.String,
  /** Mean accuracy over the seeds that were read; null where none was. */
  mean: Schema.NullOr(Schema.Finite),
  seeds: Schema.Int
})
export type ArmScore = typeof ArmScore.Type

export const RungDecision = Schema.Struct({
  rung: Schema.Int,
  scores: Schema.Array(ArmScore),
  kept: Schema.Array(Schema.String),
  stopped: Schema.Array(Schema.String)
})
export type RungDecision = typeof RungDecision.Type

/** halving.json: what was decided, in the order of the rungs. */
export const HalvingFile = Schema.Struct({
  format: Schema.Literal(1),
  plan: Digest,
  decisions: Schema.Array(RungDecision)
})
export type HalvingFile = typeof HalvingFile.Type

/** Averages the readings of an arm's seeds, in the order of the seeds. */
export const scoreOf = (arm: string, readings: ReadonlyArray<number | null>): ArmScore => {
  const read = readings.filter((value) => value !== null)
  const mean = read.length === 0 ? null : read.reduce((sum, value) => sum + value, 0) / read.length
  return { arm, mean, seeds: read.length }
}

/** Keeps the best `ceil(keep * arms)`, at least one and the baseline always; ties go to the arm that stands first. Arms without a reading go last. */
export const decide = (rung: number, scores: ReadonlyArray<ArmScore>, keep: number, baseline: string): RungDecision => {
  const count = Math.max(1, Math.ceil(keep * scores.length - 1e-9))
  const ranked = scores
    .map((score, index) => ({ ...score, index }))
    .toSorted((a, b) => (b.mean ?? -Infinity) - (a.mean ?? -Infinity) || a.index - b.index)
  const best = new Set(ranked.slice(0, count).map(({ arm }) => arm))
  const goesOn = ({ arm }: ArmScore): boolean => best.has(arm) || arm === baseline
  const names = (some: ReadonlyArray<ArmScore>) => some.map(({ arm }) => arm)
  return {
    rung,
    scores,
    kept: names(scores.filter(goesOn)),
    stopped: names(scores.filter((score) => !goesOn(score)))
  }
}
