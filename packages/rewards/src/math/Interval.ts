/** Sets of real numbers as unions of intervals, in one order and with overlapping parts joined. */
import { approximate } from "./Approximate.ts"
import type { Expression } from "./Expression.ts"
import { refuse } from "./Limits.ts"
import { same, varies } from "./Same.ts"

export interface Interval {
  readonly from: Expression
  readonly to: Expression
  readonly closedFrom: boolean
  readonly closedTo: boolean
}

/** A real end as a number: infinities included. Throws `NotAValue` where an end is not a real constant. */
export const endOf = (end: Expression): number => {
  if (end.kind === "constant" && end.name === "infinity") return Infinity
  if (end.kind === "negative") return -endOf(end.of)
  if (end.kind === "sum" && end.terms.length === 2 && end.terms[1]?.kind === "constant") return endOf(end.terms[1])
  if (varies(end)) return refuse("not a constant end")
  const value = approximate(end, { index: 0, bound: new Map(), signed: false, spent: { visits: 0, work: 0 } })
  return value.im === 0 ? value.re : refuse("not a real end")
}

const sameEnd = (left: Expression, right: Expression): boolean => {
  const [a, b] = [endOf(left), endOf(right)]
  return Number.isFinite(a) && Number.isFinite(b) ? same(left, right) : a === b
}

const joins = (left: Interval, right: Interval): boolean => {
  if (sameEnd(left.to, right.from)) return left.closedTo || right.closedFrom
  return endOf(left.to) > endOf(right.from)
}

const join = (left: Interval, right: Interval): Interval => {
  const further = endOf(right.to) > endOf(left.to) || (sameEnd(left.to, right.to) && right.closedTo)
  return further ? { ...left, to: right.to, closedTo: right.closedTo } : left
}

/** Sorts intervals and joins those that touch or overlap. Throws `NotAValue` where an end is no real constant or an interval is empty. */
export const joined = (intervals: ReadonlyArray<Interval>): ReadonlyArray<Interval> => {
  for (const { from, to } of intervals) if (endOf(from) > endOf(to)) refuse("ends in the wrong order")
  const sorted = intervals.toSorted(
    (a, b) => endOf(a.from) - endOf(b.from) || Number(b.closedFrom) - Number(a.closedFrom)
  )
  const result: Array<Interval> = []
  for (const interval of sorted) {
    const last = result.at(-1)
    if (last !== undefined && joins(last, interval)) result[result.length - 1] = join(last, interval)
    else result.push(interval)
  }
  return result
}

/** Says whether two unions of intervals are the same set. */
export const sameSet = (left: ReadonlyArray<Interval>, right: ReadonlyArray<Interval>): boolean => {
  const [a, b] = [joined(left), joined(right)]
  return (
    a.length === b.length &&
    a.every((one, i) => {
      const other = b[i]
      if (other === undefined || !sameEnd(one.from, other.from) || !sameEnd(one.to, other.to)) return false
      const open = (end: Expression) => !Number.isFinite(endOf(end))
      return (
        (open(one.from) || one.closedFrom === other.closedFrom) && (open(one.to) || one.closedTo === other.closedTo)
      )
    })
  )
}
