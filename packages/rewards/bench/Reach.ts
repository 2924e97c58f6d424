/** What a bench has to reach: each reach is printed with what was measured, and one that is missed makes the bench exit with 1. */

interface Measured {
  readonly what: string
  readonly measured: number
  readonly unit?: string
}

/** Measured must be less than `below`, or no less than `least`. */
export type Reach = Measured & ({ readonly below: number } | { readonly least: number })

/** Says whether a reach is met; what could not be measured (NaN) is not. */
const isMet = (reach: Reach): boolean =>
  "below" in reach ? reach.measured < reach.below : reach.measured >= reach.least

const number = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(3))

const lineOf = (reach: Reach): string => {
  const { measured, unit = "", what } = reach
  const [asked, limit] = "below" in reach ? ["below", reach.below] : ["at least", reach.least]
  const missed = `MISSED by ${number(Math.abs(measured - limit))}${unit}`
  return `  ${what}: ${number(measured)}${unit}, ${asked} ${number(limit)}${unit}: ${isMet(reach) ? "reached" : missed}`
}

/** Prints every reach, and sets the exit code where one is missed. */
export const settleReaches = (reaches: ReadonlyArray<Reach>): void => {
  process.stdout.write(`\nreaches:\n${reaches.map(lineOf).join("\n")}\n`)
  if (!reaches.every(isMet)) process.exitCode = 1
}
