/** From scored groups to optimizer updates: advantages, masks, denominators, metrics. Pure. */
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { MetricsRow } from "@gradus/domain/Metrics"
import type { UpdateRow } from "@gradus/domain/UpdateBatch"
import type { Seed } from "@gradus/domain/Seed"
import { advantages } from "@gradus/rewards/Advantage"
import { componentMetrics } from "@gradus/rewards/ComponentMetrics"
import { shuffleValues } from "@gradus/rewards/Shuffle"
import type { ScoredGroup } from "./Sampling.ts"

/** A group with what it teaches. */
export interface WeighedGroup extends ScoredGroup {
  readonly values: ReadonlyArray<number | null>
  readonly advantages: ReadonlyArray<number | null>
  readonly mean: number | null
  readonly std: number | null
  readonly zeroVariance: boolean
  readonly dropped: boolean
}

const shuffledGroups = (
  groups: ReadonlyArray<ScoredGroup>,
  seed: Seed
): ReadonlyArray<ReadonlyArray<number | null>> => {
  const flat = shuffleValues(
    groups.flatMap((group) => group.scores.map((score) => score.value)),
    seed
  )
  let next = 0
  return groups.map((group) => {
    const own = flat.slice(next, next + group.scores.length)
    next += group.scores.length
    return own
  })
}

/** Weighs groups: one advantage a completion, by the manifest's rule. Unscored completions have none. */
export const weigh = (
  manifest: Manifest,
  groups: ReadonlyArray<ScoredGroup>,
  seed: Seed
): ReadonlyArray<WeighedGroup> => {
  const values =
    manifest.rewards.control === "shuffled"
      ? shuffledGroups(groups, seed)
      : groups.map((group) => group.scores.map((score) => score.value))
  return groups.map((group, index) => {
    const own = values[index] ?? []
    const { advantage, constant_tolerance, group_floor } = manifest.train
    const result = advantages(advantage, own, group_floor, constant_tolerance)
    return { ...group, values: own, ...result }
  })
}

/** Lays a group's completions out as sequences of an update. Those that cannot teach (no advantage, or zero without a KL term) are left out. */
export const updateRows = (manifest: Manifest, groups: ReadonlyArray<WeighedGroup>): ReadonlyArray<UpdateRow> =>
  groups.flatMap(({ group, advantages: own, values }) =>
    group.completions.flatMap((completion, index): ReadonlyArray<UpdateRow> => {
      const advantage = own[index] ?? null
      const truncated = completion.finish_reason === "length"
      const teaches = advantage !== null && (advantage !== 0 || manifest.train.loss.kl_coef > 0)
      if (!teaches || (truncated && manifest.rewards.truncated === "mask")) return []
      const prompt = group.prompt_token_ids
      const finite = completion.logprobs.map((value) => value !== null)
      if (!finite.includes(true)) return []
      const zeros = prompt.map(() => 0 as const)
      return [
        {
          sample_id: completion.sample_id,
          group_id: completion.group_id,
          token_ids: [...prompt, ...completion.token_ids],
          // a token whose sampler log-probability is not finite is masked, and counted in the metrics
          loss_mask: [...zeros, ...finite.map((ok) => (ok ? 1 : 0) as 0 | 1)],
          rollout_logprob: [...zeros, ...completion.logprobs.map((value) => Math.min(0, value ?? 0))],
          advantage,
          temperature: manifest.sampling.temperature,
          reward: values[index] ?? 0,
          truncated: truncated ? 1 : 0
        }
      ]
    })
  )

/** What the summed loss of one update is divided by. All completions of the update's groups count, also those that are not sent. */
export const denominator = (manifest: Manifest, groups: ReadonlyArray<WeighedGroup>): number => {
  const completions = groups.filter((group) => !group.dropped).flatMap((group) => group.group.completions)
  const tokens = completions.reduce((sum, completion) => sum + completion.token_ids.length, 0)
  return Math.max(
    1,
    { tokens, sequences: completions.length, constant: completions.length * manifest.sampling.max_tokens }[
      manifest.train.normaliser
    ]
  )
}

/** Splits a step's groups over its updates: consecutive, sizes differ by at most one. */
export const splitGroups = <A>(groups: ReadonlyArray<A>, updates: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: updates }, (_, u) =>
    groups.slice(Math.round((u * groups.length) / updates), Math.round(((u + 1) * groups.length) / updates))
  )

const meanOf = (values: ReadonlyArray<number>): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length

const present = (values: ReadonlyArray<number | null | undefined>): ReadonlyArray<number> =>
  values.filter((value): value is number => value !== null && value !== undefined)

/** The share of a group's scored completions that pass; null where none is scored. */
const passRate = ({ scores }: WeighedGroup, passMark: number): number | null =>
  meanOf(present(scores.map(({ value }) => value)).map((value) => (value >= passMark ? 1 : 0)))

/** What a step's completions say, in TRL's spelling. */
export const generationMetrics = (groups: ReadonlyArray<WeighedGroup>, passMark: number): MetricsRow["metrics"] => {
  const completions = groups.flatMap((group) => group.group.completions)
  const scores = groups.flatMap((group) => group.scores)
  const lengths = completions.map((completion) => completion.token_ids.length)
  return {
    reward: meanOf(present(groups.flatMap((group) => group.values))),
    reward_std: meanOf(present(groups.map((group) => group.std))),
    "rewards/accuracy": meanOf(present(scores.map((score) => score.components.accuracy))),
    "rewards/format": meanOf(present(scores.map((score) => score.components.format))),
    ...componentMetrics(scores),
    // measured as the profile measures: beside it this says how far the policy has outgrown its profile
    group_pass_rate: meanOf(present(groups.map((group) => passRate(group, passMark)))),
    frac_reward_zero_std: meanOf(groups.map((group) => (group.zeroVariance ? 1 : 0))),
    "completions/mean_length": meanOf(lengths),
    "completions/min_length": lengths.length === 0 ? null : Math.min(...lengths),
    "completions/max_length": lengths.length === 0 ? null : Math.max(...lengths),
    "completions/clipped_ratio": meanOf(
      completions.map((completion) => (completion.finish_reason === "length" ? 1 : 0))
    ),
    "tokens/generated": lengths.reduce((sum, length) => sum + length, 0),
    "tokens/nonfinite_logprobs": completions.reduce(
      (sum, completion) => sum + completion.logprobs.filter((value) => value === null).length,
      0
    ),
    unscored: scores.filter((score) => score.value === null).length,
    failed: groups.reduce((sum, group) => sum + group.group.failures.length, 0),
    dropped_groups: groups.filter((group) => group.dropped).length
  }
}
