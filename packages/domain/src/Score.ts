/** Scores: what a completion is worth, or why nobody can say. A failed or unreadable judge is unscored, never 0. */
import * as Schema from "effect/Schema"

/** Why a completion has no score. */
export const UnscoredReason = Schema.Literals([
  "judge_failed",
  "judge_unreadable",
  "gold_unreadable",
  "completion_failed"
])
export type UnscoredReason = typeof UnscoredReason.Type

const VerdictWord = Schema.Literals(["yes", "no", "unreadable", "failed"])

/** What a judge said: read, unreadable (it answered, but not yes or no), or failed (it did not answer). */
export const Verdict = Schema.Struct({
  verdict: VerdictWord,
  /** The judge's whole reply; null when there was none. */
  reply: Schema.NullOr(Schema.String),
  model: Schema.String,
  /** Digest of the template of the prompt that was sent; of a panel, that of the judge whose reply stands here. */
  prompt_digest: Schema.String,
  /** What the call is charged with, and those before it that failed after the endpoint had begun: as its reply says, else the estimate. */
  prompt_tokens: Schema.Int,
  completion_tokens: Schema.Int,
  ms: Schema.Finite,
  /** The border that broke, for `failed`. */
  failure: Schema.optionalKey(Schema.String),
  /** The same as a tag, e.g. `JudgeRefused`, `JudgeBudgetSpent`. */
  failure_tag: Schema.optionalKey(Schema.String),
  /** Why the guard refused the answer, for a `no` without a call. */
  guard: Schema.optionalKey(Schema.String),
  /** Its price when it was given, in the currency of the price table; absent where the model has no price. */
  cost: Schema.optionalKey(Schema.Finite),
  /** True when it came from the cache: usage and cost are those of the call that was made then, and nothing was paid now. */
  cached: Schema.optionalKey(Schema.Boolean),
  /** What each single call said, where there was more than one (a panel, a swap or a repetition). */
  votes: Schema.optionalKey(
    Schema.Array(Schema.Struct({ model: Schema.String, verdict: VerdictWord, reply: Schema.NullOr(Schema.String) }))
  )
})
export type Verdict = typeof Verdict.Type

/** The parts that a value is made of; each in [0, 1], but `overlong`, the punishment for length, which is at most 0. */
export const Components = Schema.Struct({
  accuracy: Schema.optionalKey(Schema.Finite),
  format: Schema.optionalKey(Schema.Finite),
  overlong: Schema.optionalKey(Schema.Finite)
})
export type Components = typeof Components.Type

export const Score = Schema.Struct({
  /** null = unscored: it stays out of mean, std and count. */
  value: Schema.NullOr(Schema.Finite),
  unscored: Schema.optionalKey(UnscoredReason),
  /** The answer that was taken from the completion; null where there is none. */
  answer: Schema.NullOr(Schema.String),
  components: Components,
  verdict: Schema.optionalKey(Verdict)
})
export type Score = typeof Score.Type

/** What a reward function is given. */
export const ScoreRequest = Schema.Struct({
  id: Schema.String,
  question: Schema.optionalKey(Schema.String),
  gold: Schema.String,
  completion: Schema.String,
  thinking: Schema.Literals(["on", "off"]),
  /** True when the completion was cut at its token limit. */
  truncated: Schema.optionalKey(Schema.Boolean),
  /** How many tokens were sampled, the end token included; the punishment for length needs it. */
  tokens: Schema.optionalKey(Schema.Int)
})
export type ScoreRequest = typeof ScoreRequest.Type
