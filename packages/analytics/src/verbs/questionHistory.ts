/** Verb: follows every question through a run: what the profile said, when it was drawn, what it got then. */
import { roundOfSample } from "@gradus/domain/Completion"
import { type ColumnTable, escape, op, rolling } from "arquero"

/**
 * Turns trained completions (`sample_id`, `question_id`, `step`, `value`, `advantage`, `policy_version`; value and advantage null where there is none) into one row a
 * group, with the columns of `HistoryRow`, ordered by question, step and round: with a gate a question may be drawn twice in a step. `profile` has `question_id`, `domain`, `scored`, `rate`.
 */
export const questionHistory =
  (profile: ColumnTable) =>
  (rollouts: ColumnTable): ColumnTable => {
    const known = profile.select("question_id", "domain", { rate: "profile_rate", scored: "profile_samples" })
    return rollouts
      .derive({
        round: escape((row: Rollout) => roundOfSample(row.sample_id)),
        has: escape((row: Rollout) => (row.value === null ? 0 : 1)),
        worth: escape((row: Rollout) => row.value ?? 0),
        weighed: escape((row: Rollout) => (row.advantage === null ? 0 : 1)),
        size: escape((row: Rollout) => Math.abs(row.advantage ?? 0)),
        moved: escape((row: Rollout) => (row.advantage === null || row.advantage === 0 ? 0 : 1))
      })
      .groupby("question_id", "step", "round")
      .rollup({
        samples: op.count(),
        scored: op.sum("has"),
        worth: op.sum("worth"),
        weighed: op.sum("weighed"),
        size: op.sum("size"),
        taught: op.sum("moved"),
        policy_version: op.max("policy_version")
      })
      .orderby("question_id", "step", "round")
      .groupby("question_id")
      .derive({ visit: rolling("d => op.row_number()") })
      .ungroup()
      .derive({
        group_mean: escape((row: Group) => (row.scored === 0 ? null : row.worth / row.scored)),
        advantage: escape((row: Group) => (row.weighed === 0 ? null : row.size / row.weighed))
      })
      .join_left(known, "question_id")
      .derive({
        domain: escape((row: Known) => row.domain ?? null),
        profile_rate: escape((row: Known) => row.profile_rate ?? null),
        profile_samples: escape((row: Known) => row.profile_samples ?? 0)
      })
      .select(
        "question_id",
        "domain",
        "profile_rate",
        "profile_samples",
        "step",
        "visit",
        "samples",
        "scored",
        "group_mean",
        "advantage",
        "taught",
        "policy_version"
      )
      .orderby("question_id", "step", "visit")
      .reify()
  }

interface Rollout {
  readonly sample_id: string
  readonly value: number | null
  readonly advantage: number | null
}
interface Group {
  readonly scored: number
  readonly worth: number
  readonly weighed: number
  readonly size: number
}
interface Known {
  readonly domain?: string | null
  readonly profile_rate?: number | null
  readonly profile_samples?: number | null
}
