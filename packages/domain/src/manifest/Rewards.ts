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

/**
 * How an answer is compared with the truth: the same text (`exact`), number (`numeric`), mathematical value (`math`, docs/rewards-equivalence.md)
 * or letter of a choice (`choice`); the verdict of a judge; or the instructions that the truth lists as JSON are followed, all of them
 * (`instructions` as written, `instructions_loose` also after the usual wrappings are taken off).
 */
export const AccuracyRule = Schema.Literals([
  "exact",
  "numeric",
  "math",
  "choice",
  "instructions",
  "instructions_loose",
  "judge",
  "none"
])
export type AccuracyRule = typeof AccuracyRule.Type

export const FormatRule = Schema.Literals(["thinking", "none"])
export type FormatRule = typeof FormatRule.Type

/**
 * Which answer is taken from a completion. All rules but `whole` look at what stands after the last `</think>`.
 *
 * - `after_think`, `after_think_optional`: all of that, or the whole text without a tag; `after_think_required`: nothing without a tag
 * - `boxed_last`: the last `\\boxed{…}` or `\\fbox{…}`
 * - `gsm8k_hash_last`: after the last `####`
 * - `numeric_end`, `numeric_begin`: the last, the first number; `numeric_exact`: the text if it is one number; `numeric_any`: every number counts
 *   (for comparison with other harnesses: a policy that lists numbers is paid for it); `final_int`: the last number if it is whole
 * - `answer_word`, `answer_word_last`: the word after the first, the last `ANSWER:`; `answer_letter`: the letter after the last one
 * - `xml_answer_last`: in the last `<answer>…</answer>`
 * - `math_last`: the boxes at the end, else `<answer>`, else after "the answer is", else the last formula or number
 * - `whole`: the completion as it is, thoughts and all
 */
export const AnswerRule = Schema.Literals([
  "after_think",
  "after_think_optional",
  "after_think_required",
  "gsm8k_hash_last",
  "numeric_end",
  "numeric_begin",
  "numeric_exact",
  "numeric_any",
  "final_int",
  "boxed_last",
  "answer_word",
  "answer_word_last",
  "answer_letter",
  "xml_answer_last",
  "math_last",
  "whole"
])
export type AnswerRule = typeof AnswerRule.Type

/** What each part weighs in a weighted sum. */
export const ComponentWeights = Schema.Struct({
  accuracy: defaulted(NonNegative, 1),
  format: defaulted(NonNegative, 1)
})
export type ComponentWeights = typeof ComponentWeights.Type

/**
 * Where long completions begin to cost: DAPO's soft overlong punishment (arXiv 2503.14476, section 3.4, equation 13). Up to
 * `max_tokens - buffer` tokens nothing; from there linearly down to -1 at `max_tokens`; -1 beyond.
 */
export const OverlongSpec = Schema.Struct({
  max_tokens: Count,
  buffer: Count,
  /** What the punishment is multiplied by before it is added. */
  weight: defaulted(NonNegative, 1)
})
export type OverlongSpec = typeof OverlongSpec.Type

export const RewardsSpec = Schema.Struct({
  accuracy: defaulted(AccuracyRule, "exact"),
  /** Applied to what stands after the last `</think>`. */
  answer: defaulted(AnswerRule, "after_think"),
  format: defaulted(FormatRule, "thinking"),
  /** `judge`: answers that the accuracy rule does not accept, or whose truth it cannot read, are judged. */
  cascade: Schema.optionalKey(Schema.Literals(["none", "judge"])),
  /** Parts multiplied (product), added with `weights` (sum), or accuracy where the format is kept in full, else 0 (gate). */
  compose: defaulted(Schema.Literals(["product", "sum", "gate"]), "product"),
  weights: Schema.optionalKey(ComponentWeights),
  /**
   * A completion cut at its token limit is worth 0 and counts in the baseline (zero), or is left out of the loss (mask), or keeps its value and
   * is punished by its length alone (soft, by `overlong`).
   */
  truncated: defaulted(Schema.Literals(["zero", "mask", "soft"]), "zero"),
  /** Is added to every value under `truncated: soft`. */
  overlong: Schema.optionalKey(OverlongSpec),
  judge: Schema.optionalKey(JudgeSpec),
  /** `shuffled` gives every completion the reward of another one of its batch: a control that must not learn. */
  control: defaulted(Schema.Literals(["none", "shuffled"]), "none")
})
export type RewardsSpec = typeof RewardsSpec.Type
