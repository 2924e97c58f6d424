/** Mean learning curves of arms with bands over seeds. */
import * as Seed from "@gradus/domain/Seed"
import { LEAST_SEEDS, stratifiedBootstrap } from "../statistics/bootstrap.ts"
import { valueAt } from "../statistics/learningCurve.ts"
import { cellsOf, curveOf, type Spent, type SweepRecord } from "./SweepRecord.ts"

export interface BandPoint {
  readonly arm: string
  readonly spent: number
  readonly mean: number
  /** 95 % bootstrap interval of the mean over seeds; null below three seeds. */
  readonly low: number | null
  readonly high: number | null
}

/** Points at which curves are read: enough for a smooth line. */
const POINTS = 25

/** A band's interval is looked at, not quoted. */
const RESAMPLES = 500

const meanOf = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** The points that all seeds' curves have: their own steps where these agree, else an even grid to where the shortest ends. */
const gridOf = (curves: ReadonlyArray<ReadonlyArray<{ readonly spent: number }>>): ReadonlyArray<number> => {
  const [first] = curves
  if (first === undefined) return []
  const own = first.map(({ spent }) => spent)
  const same = curves.every((curve) => curve.length === own.length && curve.every(({ spent }, i) => spent === own[i]))
  if (same) return own
  const end = Math.min(...curves.map((curve) => curve.at(-1)?.spent ?? 0))
  return Array.from({ length: POINTS }, (_, i) => (i * end) / (POINTS - 1))
}

/** Averages the curves of each arm over its seeds. */
export const curveBands = (record: SweepRecord, spent: Spent): ReadonlyArray<BandPoint> =>
  record.arms.flatMap((arm) => {
    const curves = cellsOf(record, arm)
      .map((cell) => curveOf(cell, record.metric.set, spent))
      .filter((curve) => curve.length > 0)
    return gridOf(curves).map((at): BandPoint => {
      const values = curves.flatMap((curve) => valueAt(curve, at) ?? [])
      const interval =
        values.length < LEAST_SEEDS
          ? null
          : stratifiedBootstrap([values], ([drawn]) => meanOf(drawn ?? []), {
              // one stream for all points: neighbours are resampled alike, so a band has no noise of its own
              seed: Seed.child(Seed.root(0), "curve band", arm),
              resamples: RESAMPLES
            })
      return { arm, spent: at, mean: meanOf(values), low: interval?.low ?? null, high: interval?.high ?? null }
    })
  })
