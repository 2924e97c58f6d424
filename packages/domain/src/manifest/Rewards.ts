/** `rewards:` how a completion becomes a score. */
import * as Schema from "effect/Schema"
import { defaulted } from "./Defaulted.ts"
import { Address, Count, NonNegative, Positive, SecretReference, Share, Text } from "./Numbers.ts"

/** Which verdict format a judge is asked to reply in; every one of them has labels that mean yes and no. */
export const VerdictRule = Schema.Literals([
  "yes_no",
  "Judgement_yes_no_last",
  "GRADE_last",
  "hash_pass_fail_last",
  "json_last",
  "choice_last"
])
export type VerdictRule = typeof VerdictRule.Type

/** What kind of text the truth is, and so which prompt text compares with it; `auto` looks at each truth. */
export const TruthKind = Schema.Literals(["auto", "number", "sentence", "paragraph"])
export type TruthKind = typeof TruthKind.Type

/** Money for a million tokens of a model. */
export const Price = Schema.Struct({ prompt: NonNegative, completion: NonNegative })
export type Price = typeof Price.Type

/** Another judge of a panel: its verdict counts as much as the first one's. */
export const JudgeSeat = Schema.Struct({
  endpoint: Address,
  model: Text,
  api_key: Schema.optionalKey(SecretReference)
})
export type JudgeSeat = typeof JudgeSeat.Type

/** Labelled answers that are judged at the start and every so many steps: a judge is an instrument that must be checked. */
export const CalibrationSpec = Schema.Struct({
  /** JSONL of `{id, question?, gold, answer, right}`. */
  file: Text,
  every: defaulted(Count, 50),
  /** Below this share of agreement there is an alarm. */
  agreement: defaulted(Share, 0.9),
  /** Above this share of accepted wrong answers there is an alarm. */
  false_accepts: defaulted(Share, 0.05),
  /** How far the judge's mean may rise above that of the first steps while a sample graded by rule does not follow. */
  rise: defaulted(Share, 0.15),
  /** Share of the completions whose truth is a number that a rule grades as well, to be compared with. */
  sample: defaulted(Share, 1)
})
export type CalibrationSpec = typeof CalibrationSpec.Type

/** How long an endpoint that is down is waited for, where the manifest says to wait and not how long. */
export const PATIENCE_SECONDS = 600

/** An OpenAI-compatible endpoint that judges answers. */
export const JudgeSpec = Schema.Struct({
  endpoint: Address,
  model: Text,
  api_key: Schema.optionalKey(SecretReference),
  temperature: defaulted(NonNegative, 0),
  max_tokens: defaulted(Count, 32),
  /** Calls in flight at each endpoint. */
  concurrency: defaulted(Count, 16),
  /** Seconds for one judgement, all its attempts together. */
  deadline: defaulted(Positive, 60),
  attempts: defaulted(Count, 3),
  /** Further endpoints that serve the same model: calls go to the least busy one that works. */
  replicas: defaulted(Schema.Array(Address), []),
  /** Further judges: the majority of all decides. */
  panel: defaulted(Schema.Array(JudgeSeat), []),
  verdict: defaulted(VerdictRule, "yes_no"),
  truth: defaulted(TruthKind, "auto"),
  /** `auto` asks each endpoint whether it can be held to a JSON schema, and then uses that, unless `verdict` gives reasons room before the verdict. */
  structured: defaulted(Schema.Literals(["auto", "never"]), "auto"),
  /** Longer answers are wrong without a call. */
  answer_characters: defaulted(Count, 8_000),
  /** Asks again with the truth and the answer in the other order; where the two differ, the reply counts as unreadable. */
  swap: defaulted(Schema.Boolean, false),
  /** Asks so many times; where the replies differ, they count as unreadable. Of use above temperature 0. */
  repeats: defaulted(Count, 1),
  requests_per_minute: Schema.optionalKey(Count),
  tokens_per_minute: Schema.optionalKey(Count),
  /** Money that may be spent, in the currency of `prices`; what would pass it is not asked. */
  budget: Schema.optionalKey(Positive),
  /** Runs under one directory that name the same account spend from one budget; absent: each run has its own. */
  account: Schema.optionalKey(Text),
  /** What a budget that is spent means: completions go on `unscored`, or the run stops before the step counts (`pause`, exit code 75). */
  spent: defaulted(Schema.Literals(["unscored", "pause"]), "unscored"),
  /** Price table by model. */
  prices: defaulted(Schema.Record(Schema.String, Price), {}),
  /** So many failures in a row stop calls to an endpoint for so many seconds. */
  breaker: defaulted(Schema.Struct({ failures: defaulted(Count, 10), open_seconds: defaulted(Positive, 5) }), {}),
  /** What an endpoint that is down, or too busy for every attempt, means: `unscored` at once after the attempts, or `wait` for it for `patience` seconds first. */
  outage: defaulted(Schema.Literals(["unscored", "wait"]), "unscored"),
  patience: defaulted(Positive, PATIENCE_SECONDS),
  calibration: Schema.optionalKey(CalibrationSpec)
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

/** How a completion must show its thought. With thinking off they all ask for no tag. */
export const FormatRule = Schema.Literals([
  "thinking",
  "think_strict_start",
  "think_single_then_answer",
  "think_balance_with_prompt",
  "think_answer",
  "think_answer_graded",
  "none"
])
export type FormatRule = typeof FormatRule.Type

const TagName = Schema.String.check(Schema.isPattern(/^[A-Za-z][A-Za-z0-9_-]{0,31}$/))

export const FormatOptions = Schema.Struct({
  /** The chat template ends with `<think>`: the completion begins inside the thought. */
  think_opened_by_template: defaulted(Schema.Boolean, false),
  think_tag: defaulted(TagName, "think"),
  answer_tag: defaulted(TagName, "answer")
})
export type FormatOptions = typeof FormatOptions.Type

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
  format_options: Schema.optionalKey(FormatOptions),
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
