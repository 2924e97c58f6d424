/** Completions as rows of rollouts.parquet. */
import type { RolloutRow } from "@gradus/domain/RunRecord"
import type { ScoredGroup } from "./Sampling.ts"

const total = (logprobs: ReadonlyArray<number | null>): number | null =>
  logprobs.some((value) => value === null) ? null : logprobs.reduce<number>((sum, value) => sum + (value ?? 0), 0)

/** Flattens scored groups into rows; `advantages` is aligned to each group's completions. */
export const rolloutRows = (
  step: number,
  policyVersion: number,
  groups: ReadonlyArray<ScoredGroup>,
  advantages?: ReadonlyArray<ReadonlyArray<number | null>>
): ReadonlyArray<RolloutRow> =>
  groups.flatMap(({ question, group, scores }, g) =>
    group.completions.map((completion, index): RolloutRow => {
      const score = scores[index]
      return {
        sample_id: completion.sample_id,
        question_id: question.question_id,
        step,
        k: completion.k,
        thinking: question.thinking,
        level: question.level ?? null,
        domain: question.domain ?? null,
        question: question.question,
        gold: question.gold,
        text: completion.text,
        answer: score?.answer ?? null,
        finish_reason: completion.finish_reason,
        length: completion.token_ids.length,
        logprob: total(completion.logprobs),
        value: score?.value ?? null,
        accuracy: score?.components.accuracy ?? null,
        format: score?.components.format ?? null,
        unscored: score?.unscored ?? null,
        advantage: advantages?.[g]?.[index] ?? null,
        policy_version: policyVersion
      }
    })
  )
