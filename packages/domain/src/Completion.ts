/** Completions: one sampled answer each. A completion that failed is data with a reason, not a crash. */
import * as Schema from "effect/Schema"

/** Names one sampled answer: stage/step/question/k. A retried request keeps it, so nothing is counted twice. */
export const sampleId = (stage: string, step: number, questionId: string, k: number): string =>
  `${stage}/${step}/${questionId}/${k}`

/** Names all completions of one question in one step: stage/step/question. */
export const groupId = (stage: string, step: number, questionId: string): string => `${stage}/${step}/${questionId}`

/** Names the group of a sample. A gate may ask a question twice in a step: the stage in the name tells the two groups apart, question and step do not. */
export const groupOfSample = (id: string): string => id.slice(0, id.lastIndexOf("/"))

/** Reads the round of a step that asked for a sample: 0 is the first, the others refill what a gate turned away. */
export const roundOfSample = (id: string): number => Number(/^train-refill-(\d+)\//.exec(id)?.[1] ?? 0)

export const FinishReason = Schema.Literals(["stop", "length"])
export type FinishReason = typeof FinishReason.Type

export const Completion = Schema.Struct({
  sample_id: Schema.String,
  group_id: Schema.String,
  /** Its index in the group, from 0. */
  k: Schema.Int,
  text: Schema.String,
  /** Sampled tokens; the end token is the last one where `finish_reason` is `stop`. */
  token_ids: Schema.Array(Schema.Int),
  /** Natural log-probability of each sampled token under the sampler, after temperature; null where it was not finite. */
  logprobs: Schema.Array(Schema.NullOr(Schema.Finite)),
  finish_reason: FinishReason
})
export type Completion = typeof Completion.Type

/** A sample that could not be had: it is neither right nor wrong. */
export const FailedCompletion = Schema.Struct({
  sample_id: Schema.String,
  group_id: Schema.String,
  k: Schema.Int,
  failure: Schema.String
})
export type FailedCompletion = typeof FailedCompletion.Type

export const CompletionGroup = Schema.Struct({
  group_id: Schema.String,
  prompt_token_ids: Schema.Array(Schema.Int),
  completions: Schema.Array(Completion),
  failures: Schema.Array(FailedCompletion),
  /** Number of applied updates of the policy that answered; null where the server cannot say. */
  policy_version: Schema.NullOr(Schema.Int)
})
export type CompletionGroup = typeof CompletionGroup.Type
