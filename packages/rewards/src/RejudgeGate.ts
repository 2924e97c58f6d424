/** Rejudgement of a run with a gate: a group is trained on only when its rate lies in the band, whatever its values are. */
import { groupOfSample } from "@gradus/domain/Completion"
import type { ChangedGroup } from "@gradus/domain/Rejudged"
import type { RolloutRow } from "@gradus/domain/RunRecord"
import { changedSamples, type Comparison, countChanges } from "./Rejudge.ts"

/** Says whether the gate lets a group with these scored values through. */
export type Admits = (scored: ReadonlyArray<number>) => boolean

const admitted = (rows: ReadonlyArray<RolloutRow>, admits: Admits): boolean => {
  const scored = rows.flatMap(({ value }) => (value === null ? [] : [value]))
  return scored.length > 0 && admits(scored)
}

/**
 * Holds a comparison against the gate that the run had: a group whose values changed and that would be outside the band has no advantages. What else the
 * step would have asked is not known: its other groups stay as they are.
 */
export const throughGate = <A extends Comparison>(stored: ReadonlyArray<RolloutRow>, made: A, admits: Admits): A => {
  const members = Map.groupBy(stored.keys(), (index) => groupOfSample(stored[index]!.sample_id))
  const rows = [...made.rows]
  const groups = made.groups.map((group): ChangedGroup => {
    const indices = members.get(group.group_id) ?? []
    const before = indices.map((index) => stored[index]!)
    const after = indices.map((index) => made.rows[index]!)
    const turned = { before: !admitted(before, admits), after: !admitted(after, admits) }
    if (turned.after) indices.forEach((index) => (rows[index] = { ...rows[index]!, advantage: null }))
    return {
      ...group,
      before: { ...group.before, turned_away: !group.before.dropped && turned.before },
      after: { ...group.after, turned_away: !group.after.dropped && turned.after }
    }
  })
  const samples = changedSamples(stored, rows)
  return { ...made, rows, samples, groups, summary: { ...made.summary, ...countChanges(samples, groups) } }
}
