/** Numbers that sum a learning curve up: when it reached a target, the area under it, and how far it fell back. */

export interface CurveReading {
  /** What was spent: steps, updates or tokens; rising. */
  readonly spent: number
  readonly value: number
}

/** Finds what had been spent when the curve was first at or above a target, linear between readings; null where it never was. */
export const spentToTarget = (curve: ReadonlyArray<CurveReading>, target: number): number | null => {
  const at = curve.findIndex(({ value }) => value >= target)
  const reached = curve[at]
  if (reached === undefined) return null
  const before = curve[at - 1]
  if (before === undefined || reached.value === before.value) return reached.spent
  return before.spent + ((reached.spent - before.spent) * (target - before.value)) / (reached.value - before.value)
}

/** Reads a curve at a point, linear between readings; null before the first and after the last. */
export const valueAt = (curve: ReadonlyArray<CurveReading>, spent: number): number | null => {
  const next = curve.findIndex((reading) => reading.spent >= spent)
  const after = curve[next]
  if (after === undefined) return null
  if (after.spent === spent) return after.value
  const before = curve[next - 1]
  if (before === undefined) return null
  return before.value + ((after.value - before.value) * (spent - before.spent)) / (after.spent - before.spent)
}

/** Computes the mean height of a curve from its first reading to `end` by the trapezoid rule; null where `end` is not reached or nothing was spent. */
export const areaUnderCurve = (curve: ReadonlyArray<CurveReading>, end?: number): number | null => {
  const [first] = curve
  const last = curve.at(-1)
  if (first === undefined || last === undefined) return null
  const to = end ?? last.spent
  const height = valueAt(curve, to)
  if (height === null || to <= first.spent) return null
  const within = [...curve.filter(({ spent }) => spent < to), { spent: to, value: height }]
  const area = within.slice(1).reduce((sum, { spent, value }, i) => {
    const before = within[i] ?? first
    return sum + ((value + before.value) / 2) * (spent - before.spent)
  }, 0)
  return area / (to - first.spent)
}

/** Computes the largest fall from a value to a later one, at least 0; null without values. */
export const maximumDrawdown = (values: ReadonlyArray<number>): number | null => {
  if (values.length === 0) return null
  let [highest, worst] = [-Infinity, 0]
  for (const value of values) {
    highest = Math.max(highest, value)
    worst = Math.max(worst, highest - value)
  }
  return worst
}
