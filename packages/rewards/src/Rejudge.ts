/** Rejudgement, the pure part: stored completions and their new scores say what would have changed. */
import { groupOfSample } from "@gradus/domain/Completion"
import type { AdvantageRule } from "@gradus/domain/manifest/Manifest"
import type { ChangedGroup, ChangedSample, RejudgeSummary } from "@gradus/domain/Rejudged"
import type { RolloutRow } from "@gradus/domain/RunRecord"
import type { Score, ScoreRequest } from "@gradus/domain/Score"
import { advantages, type GroupAdvantages } from "./Advantage.ts"

export interface Weighing {
  readonly rule: AdvantageRule
  /** Fewest scored completions of a group that is trained on. */
  readonly floor: number
  /** How far the values of a constant group may differ; absent: the rule's own. */
  readonly tolerance?: number | undefined
}

/** What would have changed. */
export interface Comparison {
  /** The rows with their new worth, in order. */
  readonly rows: ReadonlyArray<RolloutRow>
  readonly samples: ReadonlyArray<ChangedSample>
  readonly groups: ReadonlyArray<ChangedGroup>
  readonly summary: RejudgeSummary
}

/** The request by which a stored completion is scored again. */
export const requestOf = (row: RolloutRow): ScoreRequest => ({
  id: row.sample_id,
  question: row.question,
  gold: row.gold,
  completion: row.text,
  thinking: row.thinking === "off" ? "off" : "on",
  truncated: row.finish_reason === "length",
  tokens: row.length
})

const rescored = (row: RolloutRow, score: Score): RolloutRow => ({
  ...row,
  value: score.value,
  unscored: score.unscored ?? null,
  answer: score.answer,
  accuracy: score.components.accuracy ?? null,
  format: score.components.format ?? null
})

/** Advantages differ where they differ by more than the last bits of a sum. */
const ROUNDING = 1e-9

const differ = (a: number | null, b: number | null): boolean =>
  a === null || b === null ? a !== b : Math.abs(a - b) > ROUNDING

const meanOf = (rows: ReadonlyArray<RolloutRow>): number | null => {
  const values = rows.flatMap(({ value }) => (value === null ? [] : [value]))
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
}

const worthOf = ({ value, unscored, advantage }: RolloutRow) => ({ value, unscored, advantage })

const groupWorth = ({ mean, scored, dropped, zeroVariance }: GroupAdvantages) => ({
  mean: scored === 0 ? null : mean,
  scored,
  dropped,
  zero_variance: zeroVariance
})

/** Weighs one group before and after. Only a group with another value gets other advantages: what is stored was computed once and stays. */
const weighGroup = (before: ReadonlyArray<RolloutRow>, after: ReadonlyArray<RolloutRow>, weighing: Weighing) => {
  const weighed = (rows: ReadonlyArray<RolloutRow>) =>
    advantages(
      weighing.rule,
      rows.map(({ value }) => value),
      weighing.floor,
      weighing.tolerance
    )
  const changed = after.some((row, i) => differ(row.value, before[i]?.value ?? null))
  const now = weighed(after)
  const rows = changed ? after.map((row, i) => ({ ...row, advantage: now.advantages[i] ?? null })) : after
  return { changed, rows, before: groupWorth(weighed(before)), after: groupWorth(now) }
}

/** Lists the completions whose value, reason or advantage is another one now. */
export const changedSamples = (
  stored: ReadonlyArray<RolloutRow>,
  rows: ReadonlyArray<RolloutRow>
): ReadonlyArray<ChangedSample> =>
  stored.flatMap((row, index): ReadonlyArray<ChangedSample> => {
    const now = rows[index]!
    const same = !differ(row.value, now.value) && row.unscored === now.unscored && !differ(row.advantage, now.advantage)
    if (same) return []
    const { sample_id, question_id, step } = row
    return [{ sample_id, question_id, step, before: worthOf(row), after: worthOf(now) }]
  })

/** Counts what changed: advantages of completions, groups that would have been trained on and those that would not. */
export const countChanges = (samples: ReadonlyArray<ChangedSample>, groups: ReadonlyArray<ChangedGroup>) => {
  const trained = ({ dropped, turned_away }: ChangedGroup["before"]): boolean => !dropped && turned_away !== true
  return {
    advantages_changed: samples.filter(({ before, after }) => differ(before.advantage, after.advantage)).length,
    groups_changed: groups.length,
    groups_regained: groups.filter(({ before, after }) => !trained(before) && trained(after)).length,
    groups_lost: groups.filter(({ before, after }) => trained(before) && !trained(after)).length
  }
}

/**
 * Puts new scores (by sample id) into stored rows and compares. Groups are those of the samples' names: a question may have two in a step. Without `weighing`
 * (a control whose advantages come from other groups' values) advantages are left as they are.
 */
export const compareScores = (
  stored: ReadonlyArray<RolloutRow>,
  scores: ReadonlyMap<string, Score>,
  weighing: Weighing | undefined
): Comparison => {
  const fresh = stored.map((row) => {
    const score = scores.get(row.sample_id)
    return score === undefined ? row : rescored(row, score)
  })
  const indices = Map.groupBy(stored.keys(), (index) => groupOfSample(stored[index]!.sample_id))
  const rows = [...fresh]
  const groups: Array<ChangedGroup> = []
  for (const [group_id, members] of indices) {
    const before = members.map((index) => stored[index]!)
    const after = members.map((index) => fresh[index]!)
    const group = weighGroup(before, after, weighing ?? { rule: "dr_grpo", floor: 1 })
    if (group.changed) {
      const { question_id, step } = before[0]!
      groups.push({ group_id, question_id, step, before: group.before, after: group.after })
    }
    if (weighing !== undefined) members.forEach((index, i) => (rows[index] = group.rows[i]!))
  }
  const samples = changedSamples(stored, rows)
  return { rows, samples, groups, summary: summarise(stored, rows, scores, samples, groups) }
}

const summarise = (
  stored: ReadonlyArray<RolloutRow>,
  rows: ReadonlyArray<RolloutRow>,
  scores: ReadonlyMap<string, Score>,
  samples: ReadonlyArray<ChangedSample>,
  groups: ReadonlyArray<ChangedGroup>
): RejudgeSummary => {
  const costs = [...scores.values()].flatMap(({ verdict }) =>
    verdict?.cost === undefined || verdict.cached === true ? [] : [verdict.cost]
  )
  const unscored = (some: ReadonlyArray<RolloutRow>) => some.filter(({ value }) => value === null).length
  return {
    completions: stored.length,
    rescored: stored.filter(({ sample_id }) => scores.has(sample_id)).length,
    unscored_before: unscored(stored),
    unscored_after: unscored(rows),
    values_changed: samples.filter(({ before, after }) => differ(before.value, after.value)).length,
    ...countChanges(samples, groups),
    mean_before: meanOf(stored),
    mean_after: meanOf(rows),
    cost: costs.length === 0 ? null : costs.reduce((sum, cost) => sum + cost, 0)
  }
}
