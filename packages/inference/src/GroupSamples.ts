/** The samples of one group as they come in, by k. Each k is filled once: what comes twice, or was not asked for, changes nothing. */
import type { Completion, CompletionGroup } from "@gradus/domain/Completion"
import { groupId } from "@gradus/domain/Completion"
import * as Result from "effect/Result"
import type { CompletionsAnswer } from "./CompletionsAnswer.ts"
import type { GenerationRequest, GroupRequest } from "./Generator.ts"
import * as SampledCompletion from "./SampledCompletion.ts"

export interface GroupSamples {
  readonly completions: ReadonlyMap<number, Completion>
  readonly prompt_token_ids: ReadonlyArray<number>
  readonly policy_version: number | null
  /** Why the last request did not give all that it asked for. */
  readonly reason: string
}

/** A group of which nothing has come yet. */
export const empty: GroupSamples = {
  completions: new Map(),
  prompt_token_ids: [],
  policy_version: null,
  reason: "it was never asked for"
}

/** Lists what is still missing, in the order of k. */
export const missing = (samples: GroupSamples, group: GroupRequest): ReadonlyArray<number> =>
  Array.from({ length: group.samples }, (_, k) => k).filter((k) => !samples.completions.has(k))

/** Cuts a rising list into its runs of consecutive numbers: sample k has the seed base + k, so only these can be asked for at once with a seed. */
export const runsOf = (ks: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<number>> => {
  const runs: Array<Array<number>> = []
  for (const k of ks) {
    const last = runs.at(-1)
    if (last !== undefined && last.at(-1) === k - 1) last.push(k)
    else runs.push([k])
  }
  return runs
}

/** Takes an answer to a request for the samples `ks`: choice i is sample ks[i]. */
export const add = (
  samples: GroupSamples,
  request: GenerationRequest,
  group: GroupRequest,
  ks: ReadonlyArray<number>,
  answer: CompletionsAnswer
): GroupSamples => {
  const completions = new Map(samples.completions)
  let reason = `${ks.length} choices were asked and ${answer.choices.length} came`
  for (const choice of answer.choices) {
    const k = ks[choice.index]
    if (k === undefined || completions.has(k)) continue
    const made = SampledCompletion.fromChoice(request, group, k, choice)
    if (Result.isSuccess(made)) completions.set(k, made.success)
    else reason = made.failure
  }
  const prompt = answer.choices.find((choice) => (choice.prompt_token_ids ?? null) !== null)?.prompt_token_ids
  return {
    completions,
    prompt_token_ids: prompt ?? samples.prompt_token_ids,
    policy_version: answer.policy_version ?? samples.policy_version,
    reason
  }
}

/** Closes a group: what has not come becomes a failure with the last reason. */
export const close = (samples: GroupSamples, request: GenerationRequest, group: GroupRequest): CompletionGroup => ({
  group_id: groupId(request.stage, request.step, group.question_id),
  prompt_token_ids: samples.prompt_token_ids,
  completions: [...samples.completions.values()].toSorted((a, b) => a.k - b.k),
  failures: missing(samples, group).map((k) => ({
    ...SampledCompletion.identity(request, group, k),
    failure: samples.reason
  })),
  policy_version: samples.policy_version
})
