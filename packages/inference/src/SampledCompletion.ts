/** A choice of a server's answer as a completion of ours, or the reason why it cannot be one. */
import type { Completion } from "@gradus/domain/Completion"
import { groupId, sampleId } from "@gradus/domain/Completion"
import * as Result from "effect/Result"
import type { Choice } from "./CompletionsAnswer.ts"
import type { GenerationRequest, GroupRequest } from "./Generator.ts"

/** vLLM writes this, and nothing above, where a log-probability is minus infinity. */
const VLLM_MINUS_INFINITY = -9999

const finiteOrNull = (logprob: number | null): number | null =>
  logprob !== null && Number.isFinite(logprob) && logprob > VLLM_MINUS_INFINITY ? logprob : null

/** Names sample k of a group; the names are the same however often it is asked for. */
export const identity = ({ stage, step }: GenerationRequest, { question_id }: GroupRequest, k: number) => ({
  sample_id: sampleId(stage, step, question_id, k),
  group_id: groupId(stage, step, question_id),
  k
})

/** Makes sample k of a group from a choice. Log-probabilities that are not finite become null; what is missing or not aligned is a failure. */
export const fromChoice = (
  request: GenerationRequest,
  group: GroupRequest,
  k: number,
  choice: Choice
): Result.Result<Completion, string> => {
  const { finish_reason, logprobs, text, token_ids } = choice
  if (finish_reason !== "stop" && finish_reason !== "length")
    return Result.fail(`choice ${choice.index} has the finish_reason ${finish_reason}`)
  if (token_ids === undefined || token_ids === null)
    return Result.fail(`choice ${choice.index} has no token_ids: the server must know return_token_ids`)
  if (logprobs === undefined || logprobs === null) return Result.fail(`choice ${choice.index} has no logprobs`)
  const { token_logprobs } = logprobs
  if (token_logprobs.length !== token_ids.length)
    return Result.fail(`choice ${choice.index} has ${token_ids.length} tokens and ${token_logprobs.length} logprobs`)
  return Result.succeed({
    ...identity(request, group, k),
    text,
    token_ids,
    logprobs: token_logprobs.map(finiteOrNull),
    finish_reason
  })
}
