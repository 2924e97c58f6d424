/** Arms against a baseline over the seeds that both have: at equal generated tokens, at equal updates, and after the last step. */
import type { CellResult } from "@gradus/domain/CellResult"
import * as Seed from "@gradus/domain/Seed"
import type { Interval } from "../Statistics.ts"
import { stratifiedBootstrap } from "../statistics/bootstrap.ts"
import { interquartileMean } from "../statistics/interquartileMean.ts"
import { areaUnderCurve, maximumDrawdown, spentToTarget, valueAt } from "../statistics/learningCurve.ts"
import { type Pair, pairedDifference, type PairedDifference } from "../statistics/pairedDifference.ts"
import { probabilityOfImprovement } from "../statistics/probabilityOfImprovement.ts"
import { cellsOf, curveOf, finalOf, type Spent, type SweepRecord } from "./SweepRecord.ts"

/** One arm by itself. Means are over seeds; intervals are null below three of them. */
export interface ArmSummary {
  readonly arm: string
  readonly seeds: number
  readonly mean: number | null
  readonly iqm: number | null
  readonly interval: Interval | null
  /** Mean height of the curve over generated tokens. */
  readonly area: number | null
  /** Largest fall of the curve, the mean over seeds. */
  readonly drawdown: number | null
  readonly tokens: number | null
  readonly updates: number | null
  /** Seeds that reached the target, and the median of what these had spent. */
  readonly reached: number | null
  readonly tokensToTarget: number | null
  readonly updatesToTarget: number | null
  /** Questions drawn for each different one: above 1 the arm repeats its pool. */
  readonly repeats: number | null
  /** Mean share of groups that taught nothing. */
  readonly silent: number | null
}

/** One arm against the baseline. */
export interface ArmDifference {
  readonly arm: string
  readonly baseline: string
  readonly equalTokens: PairedDifference
  readonly equalUpdates: PairedDifference
  readonly last: PairedDifference
  /** Fewest readings of a curve behind the difference at equal tokens, which is read between them; null without a pair. */
  readonly readings: number | null
  /** Whether the differences leave zero out also at the coverage that holds for all comparisons together; null below `LEAST_TOGETHER` pairs. */
  readonly together: { readonly equalTokens: boolean | null; readonly equalUpdates: boolean | null }
  /** P(arm > baseline) over all runs of both after the last step, pairs ignored. */
  readonly improvement: number | null
  /** Seeds of both that did not start from the same weights, and so are no pairs. */
  readonly unpaired: ReadonlyArray<number>
  /** The differences at equal tokens, seed by seed. */
  readonly bySeed: ReadonlyArray<{ readonly seed: number; readonly difference: number }>
}

export interface Comparison {
  readonly metric: string
  /** Coverage of one interval at which all of them hold together with 95 %: 1 - .05 / comparisons (Bonferroni). */
  readonly together: number
  readonly target: number | null
  readonly arms: ReadonlyArray<ArmSummary>
  readonly differences: ReadonlyArray<ArmDifference>
}

const meanOf = (values: ReadonlyArray<number | null>): number | null => {
  const there = values.filter((value) => value !== null)
  return there.length === 0 ? null : there.reduce((sum, value) => sum + value, 0) / there.length
}

const medianOf = (values: ReadonlyArray<number>): number | null => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  if (sorted.length === 0) return null
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle) - 1] ?? 0)) / 2
}

const seedOf = (record: SweepRecord, ...path: ReadonlyArray<string>): Seed.Seed =>
  Seed.child(Seed.root(0), "sweep statistics", record.metric.set, ...path)

const summaryOf = (record: SweepRecord, arm: string): ArmSummary => {
  const { set, target } = record.metric
  const cells = cellsOf(record, arm)
  const finals = cells.flatMap((cell) => finalOf(cell, set) ?? [])
  const to = (spent: Spent) =>
    target === undefined ? [] : cells.flatMap((cell) => spentToTarget(curveOf(cell, set, spent), target) ?? [])
  const mean = (strata: ReadonlyArray<ReadonlyArray<number>>) => meanOf(strata.flat())
  return {
    arm,
    seeds: cells.length,
    mean: meanOf(finals),
    iqm: interquartileMean(finals),
    interval: stratifiedBootstrap([finals], mean, { seed: seedOf(record, "arm", arm), resamples: record.resamples }),
    area: meanOf(cells.map((cell) => areaUnderCurve(curveOf(cell, set, "tokens")))),
    drawdown: meanOf(cells.map((cell) => maximumDrawdown(curveOf(cell, set, "updates").map(({ value }) => value)))),
    tokens: meanOf(cells.map((cell) => cell.tokens)),
    updates: meanOf(cells.map((cell) => cell.updates)),
    reached: target === undefined ? null : to("updates").length,
    tokensToTarget: medianOf(to("tokens")),
    updatesToTarget: medianOf(to("updates")),
    repeats: meanOf(cells.map((cell) => (cell.distinct === 0 ? null : cell.drawn / cell.distinct))),
    silent: meanOf(cells.map((cell) => meanOf(cell.silent)))
  }
}

interface SeedPair {
  readonly seed: number
  readonly arm: CellResult
  readonly baseline: CellResult
}

const pairsOf = (arm: ReadonlyArray<CellResult>, baseline: ReadonlyArray<CellResult>): ReadonlyArray<SeedPair> =>
  arm.flatMap((cell) => {
    const other = baseline.find(({ seed }) => seed === cell.seed)
    return other === undefined ? [] : [{ seed: cell.seed, arm: cell, baseline: other }]
  })

/** Reads both cells of a pair where the one that spent less ended. */
const atEqual = ({ arm, baseline }: SeedPair, set: string, spent: Spent): Pair | undefined => {
  const [a, b] = [curveOf(arm, set, spent), curveOf(baseline, set, spent)]
  const end = Math.min(a.at(-1)?.spent ?? 0, b.at(-1)?.spent ?? 0)
  const [x, y] = [valueAt(a, end), valueAt(b, end)]
  return x === null || y === null ? undefined : { arm: x, baseline: y }
}

const atLast = ({ arm, baseline }: SeedPair, set: string): Pair | undefined => {
  const [x, y] = [finalOf(arm, set), finalOf(baseline, set)]
  return x === null || y === null ? undefined : { arm: x, baseline: y }
}

/** From so many readings on a curve has a shape; below, whatever is read between them lies on a straight line. */
export const LEAST_READINGS = 3

/** Below so many pairs a percentile bootstrap is too narrow, the more so in the far tails that a corrected level asks about. */
export const LEAST_TOGETHER = 6

const readingsOf = (pairs: ReadonlyArray<SeedPair>, set: string): number | null =>
  pairs.length === 0
    ? null
    : Math.min(...pairs.flatMap((pair) => [pair.arm, pair.baseline].map((cell) => curveOf(cell, set, "tokens").length)))

const togetherLevel = ({ arms }: SweepRecord): number => 1 - 0.05 / Math.max(1, arms.length - 1)

const leavesZeroOut = (interval: Interval | null): boolean | null =>
  interval === null ? null : interval.low > 0 || interval.high < 0

const differenceOf = (record: SweepRecord, arm: string): ArmDifference => {
  const { set } = record.metric
  const [own, other] = [cellsOf(record, arm), cellsOf(record, record.baseline)]
  const all = pairsOf(own, other)
  const pairs = all.filter((pair) => pair.arm.start === pair.baseline.start)
  const compared = (read: (pair: SeedPair) => Pair | undefined, level?: number) =>
    pairedDifference(
      pairs.flatMap((pair) => read(pair) ?? []),
      { seed: seedOf(record, "difference", arm), resamples: record.resamples, level }
    )
  const holds = (spent: Spent) => {
    const corrected = compared((pair) => atEqual(pair, set, spent), togetherLevel(record))
    return corrected.pairs < LEAST_TOGETHER ? null : leavesZeroOut(corrected.interval)
  }
  const finals = (cells: ReadonlyArray<CellResult>) => cells.flatMap((cell) => finalOf(cell, set) ?? [])
  return {
    arm,
    baseline: record.baseline,
    equalTokens: compared((pair) => atEqual(pair, set, "tokens")),
    equalUpdates: compared((pair) => atEqual(pair, set, "updates")),
    last: compared((pair) => atLast(pair, set)),
    readings: readingsOf(
      pairs.filter((pair) => atEqual(pair, set, "tokens") !== undefined),
      set
    ),
    together: { equalTokens: holds("tokens"), equalUpdates: holds("updates") },
    improvement: probabilityOfImprovement(finals(own), finals(other)),
    unpaired: all.filter((pair) => pair.arm.start !== pair.baseline.start).map(({ seed }) => seed),
    bySeed: pairs.flatMap((pair) => {
      const at = atEqual(pair, set, "tokens")
      return at === undefined ? [] : [{ seed: pair.seed, difference: at.arm - at.baseline }]
    })
  }
}

/** Compares the arms of a record on its metric. Pure: equal records give equal numbers, intervals too. */
export const compareArms = (record: SweepRecord): Comparison => ({
  metric: record.metric.set,
  target: record.metric.target ?? null,
  together: togetherLevel(record),
  arms: record.arms.map((arm) => summaryOf(record, arm)),
  differences: record.arms.filter((arm) => arm !== record.baseline).map((arm) => differenceOf(record, arm))
})
