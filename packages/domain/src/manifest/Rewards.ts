/** `rewards:` how a completion becomes a score. */
import * as Schema from "effect/Schema"
import { defaulted } from "./Defaulted.ts"
import { Count, NonNegative, Positive, SecretReference, Text } from "./Numbers.ts"

/** An OpenAI-compatible endpoint that judges answers. */
export const JudgeSpec = Schema.Struct({
  endpoint: Text.check(Schema.isPattern(/^https?:\/\//)),
  model: Text,
  api_key: Schema.optionalKey(SecretReference),
  temperature: defaulted(NonNegative, 0),
  max_tokens: defaulted(Count, 32),
  concurrency: defaulted(Count, 16),
  /** Seconds for one judgement, all its attempts together. */
  deadline: defaulted(Positive, 60),
  attempts: defaulted(Count, 3)
})
export type JudgeSpec = typeof JudgeSpec.Type

export const AccuracyRule = Schema.Literals(["exact", "numeric", "judge", "none"])
export type AccuracyRule = typeof AccuracyRule.Type

export const FormatRule = Schema.Literals(["thinking", "none"])
export type FormatRule = typeof FormatRule.Type

/** Which answer is taken from a completion. */
export const AnswerRule = Schema.Literals(["after_think", "gsm8k_hash_last", "numeric_end", "boxed_last", "whole"])
export type AnswerRule = typeof AnswerRule.Type

export const RewardsSpec = Schema.Struct({
  accuracy: defaulted(AccuracyRule, "exact"),
  /** Applied to what stands after the last `</think>`. */
  answer: defaulted(AnswerRule, "after_think"),
  format: defaulted(FormatRule, "thinking"),
  compose: defaulted(Schema.Literals(["product"]), "product"),
  /** A completion cut at its token limit is worth 0 and counts in the baseline (zero), or is left out of the loss (mask). */
  truncated: defaulted(Schema.Literals(["zero", "mask"]), "zero"),
  judge: Schema.optionalKey(JudgeSpec),
  /** `shuffled` gives every completion the reward of another one of its batch: a control that must not learn. */
  control: defaulted(Schema.Literals(["none", "shuffled"]), "none")
})
export type RewardsSpec = typeof RewardsSpec.Type
