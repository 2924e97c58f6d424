/** A comparison of arms for a terminal. */
import { straightLine } from "@gradus/analytics/report/SweepRows"
import type { PairedDifference } from "@gradus/analytics/statistics/pairedDifference"
import type { Comparison } from "@gradus/analytics/sweep/compareArms"

const points = (value: number): string => `${value < 0 ? "" : "+"}${(100 * value).toFixed(1)}`
const percent = (value: number | null): string => (value === null ? "-" : `${(100 * value).toFixed(1)} %`)

const difference = ({ interval, mean, pairs }: PairedDifference): string => {
  if (mean === null) return "no pairs"
  const bounds = interval === null ? "no interval" : `[${points(interval.low)}, ${points(interval.high)}]`
  return `${points(mean)} ${bounds} of ${pairs} pairs`
}

/** Writes arms and differences as aligned lines; differences are in points of accuracy. */
export const comparisonLines = ({ arms, differences, metric }: Comparison): ReadonlyArray<string> => {
  const width = Math.max(...arms.map(({ arm }) => arm.length), 8)
  return [
    `${"arm".padEnd(width)}  seeds  last accuracy of ${metric}`,
    ...arms.map(({ arm, interval, mean, seeds }) => {
      const bounds = interval === null ? "" : ` [${percent(interval.low)}, ${percent(interval.high)}]`
      return `${arm.padEnd(width)}  ${String(seeds).padStart(5)}  ${percent(mean)}${bounds}`
    }),
    ...differences.flatMap((one) => [
      `${one.arm} - ${one.baseline}`,
      `  at equal tokens   ${[difference(one.equalTokens), straightLine(one)].filter((text) => text !== undefined).join("; ")}`,
      `  at equal updates  ${difference(one.equalUpdates)}`
    ])
  ]
}
