/** The tables of a sweep as words: what its report and the viewer both say of arms and differences. */
import type { Interval } from "../Statistics.ts"
import type { PairedDifference } from "../statistics/pairedDifference.ts"
import {
  type ArmDifference,
  type ArmSummary,
  type Comparison,
  LEAST_READINGS,
  LEAST_TOGETHER
} from "../sweep/compareArms.ts"
import type { SweepRecord } from "../sweep/SweepRecord.ts"
import { ABSENT, count, percent, points } from "./Format.ts"

/** A table whose first column names an arm. */
export interface ArmTable {
  readonly caption: string
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<{ readonly arm: string; readonly cells: ReadonlyArray<string> }>
}

const orAbsent = (value: number | null, write: (value: number) => string): string =>
  value === null ? ABSENT : write(value)

const interval = (bounds: Interval | null, write: (value: number) => string): string =>
  bounds === null ? "" : ` [${write(bounds.low)}, ${write(bounds.high)}]`

const difference = ({ interval: bounds, mean, pairs }: PairedDifference, together: boolean | null): string =>
  mean === null ? ABSENT : `${points(mean)}${interval(bounds, points)} of ${pairs}${together === true ? " *" : ""}`

const number = (value: number): string => value.toFixed(2)
const whole = (value: number): string => count(Math.round(value))

const differenceCells = (one: ArmDifference): ReadonlyArray<string> => [
  difference(one.equalTokens, one.together.equalTokens),
  difference(one.equalUpdates, one.together.equalUpdates),
  `${one.equalTokens.wins} / ${one.equalTokens.ties} / ${one.equalTokens.losses}`,
  orAbsent(one.improvement, number)
]

/** Writes how each arm stands against the baseline. */
export const differenceTable = ({ differences, together }: Comparison): ArmTable => ({
  caption: `Points of accuracy above the baseline with the same seed: mean [95 % interval] of so many pairs, read where the cell of the pair that spent less ended, and * where zero is left out at ${percent(together)} too, the level at which all ${differences.length} comparisons hold together; then pairs won, tied and lost, and the probability that a run is above one of the baseline.`,
  columns: ["At equal tokens", "At equal updates", "Won / tied / lost", "P(above)"],
  rows: differences.map((one) => ({ arm: one.arm, cells: differenceCells(one) }))
})

const armCells = (arm: ArmSummary, target: number | null): ReadonlyArray<string> => [
  String(arm.seeds),
  `${percent(arm.mean)}${interval(arm.interval, percent)}`,
  percent(arm.iqm),
  percent(arm.area),
  orAbsent(arm.drawdown, (value) => (100 * value).toFixed(1)),
  orAbsent(arm.tokens, whole),
  orAbsent(arm.updates, whole),
  ...(target === null
    ? []
    : [
        `${arm.reached ?? 0} of ${arm.seeds}`,
        orAbsent(arm.tokensToTarget, whole),
        orAbsent(arm.updatesToTarget, (value) => value.toFixed(0))
      ]),
  orAbsent(arm.repeats, number),
  percent(arm.silent)
]

/** Writes each arm by itself. */
export const armTable = ({ arms, target }: Comparison): ArmTable => ({
  caption:
    "Means over seeds. Mean height is the area under the curve over generated tokens; drawdown is the largest fall of a curve; repeats are questions drawn for each different one; silent is the share of groups without variance.",
  columns: [
    "Seeds",
    "Last accuracy",
    "IQM",
    "Mean height",
    "Drawdown, points",
    "Tokens",
    "Updates",
    ...(target === null ? [] : [`Reached ${percent(target)}`, "Tokens to it", "Updates to it"]),
    "Repeats",
    "Silent"
  ],
  rows: arms.map((arm) => ({ arm: arm.arm, cells: armCells(arm, target) }))
})

/** Says of a difference at equal tokens that its curves have no shape between their ends; undefined where they have one. */
export const straightLine = ({ readings }: Pick<ArmDifference, "readings">): string | undefined => {
  if (readings === null || readings >= LEAST_READINGS) return undefined
  return readings === 1 ? "one reading" : "two readings: a straight line between them"
}

/** What the number of readings and of pairs keeps the differences from saying. */
const limits = (differences: ReadonlyArray<ArmDifference>): ReadonlyArray<string | false> => {
  const straight = Map.groupBy(
    differences.filter((one) => straightLine(one) !== undefined),
    straightLine
  )
  const few = differences.filter((one) => one.equalTokens.pairs < LEAST_TOGETHER)
  return [
    ...[...straight].map(([said, own]) => `${own.map(({ arm }) => arm).join(", ")} at equal tokens: ${said}.`),
    few.length > 0 &&
      `Below ${LEAST_TOGETHER} pairs nothing is said at the level at which all comparisons hold together: a percentile bootstrap of so few pairs is too narrow.`
  ]
}

/** Says what a reader must know before believing the numbers. */
export const sweepNotes = (record: SweepRecord, { differences }: Comparison): ReadonlyArray<string> => {
  const done = record.cells.length
  const unpaired = differences.filter((one) => one.unpaired.length > 0)
  return [
    done < record.planned && `${done} of ${record.planned} cells are here: what follows may still change.`,
    record.failed > 0 && `Failed cells, which are in no number: ${record.failed}.`,
    record.stopped > 0 && `Cells that the sweep's rule ended early: ${record.stopped}.`,
    ...unpaired.map(
      ({ arm, unpaired: seeds }) =>
        `${arm}: seeds ${seeds.join(", ")} did not start from the baseline's weights and are no pairs.`
    ),
    ...limits(differences),
    "Intervals are 95 % percentile bootstraps over seeds; below three seeds none is given. Arms are compared one by one with the baseline: with many arms some interval leaves zero out by chance."
  ].filter((line) => line !== false)
}
