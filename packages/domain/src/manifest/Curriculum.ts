/** `profile:`, `filter:` and `curriculum:` how hard questions are for the policy, which are kept, and in which order they are served. */
import * as Schema from "effect/Schema"
import { defaulted } from "./Defaulted.ts"
import { Count, NonNegative, Positive, Share, Text } from "./Numbers.ts"

/**
 * What a column of pass rates says. rate: share passed, 0 to 1. percent: 0 to 100. fraction: the text "passed/samples". passed_count and failed_count: whole
 * numbers of n. booleans: a list with one entry a sample, null where it has no score. difficulty_0_100: 100 (1 - passed / n), as AdaRFT's data have it.
 */
export const PassRateKind = Schema.Literals([
  "rate",
  "percent",
  "fraction",
  "passed_count",
  "failed_count",
  "booleans",
  "difficulty_0_100"
])
export type PassRateKind = typeof PassRateKind.Type

/** Pass rates that were measured elsewhere, in place of measuring them. What the column says is stated, never guessed. */
export const RatesSpec = Schema.Struct({
  /** JSONL or Parquet with a row for every question. */
  file: Text.check(Schema.isMinLength(1)),
  column: Text.check(Schema.isMinLength(1)),
  kind: PassRateKind,
  /** Samples of every question, or the column that says it; fractions and lists say it themselves. */
  n: Schema.optionalKey(Count),
  n_column: Schema.optionalKey(Text),
  /** Column with the questions' ids; absent: `question_id` or `id`, else rows are questions by their number. */
  id: Schema.optionalKey(Text),
  /** What an empty cell means: an error, or a question without a score, which is dropped. */
  missing: defaulted(Schema.Literals(["refuse", "unscored"]), "refuse"),
  /** A rate that is no whole number of passes: an error, or the nearest one. */
  rounding: defaulted(Schema.Literals(["refuse", "nearest"]), "refuse")
})
export type RatesSpec = typeof RatesSpec.Type

export const ProfileSpec = Schema.Struct({
  samples: defaulted(Count, 8),
  /** A scored completion passes when its value is at least this. */
  pass_mark: defaulted(Share, 1),
  /** One-sided credible level of the interval. */
  credible_level: defaulted(Share, 0.9),
  /** Takes the pass rates from a file; absent: they are measured. */
  from: Schema.optionalKey(RatesSpec)
})
export type ProfileSpec = typeof ProfileSpec.Type

export const FilterSpec = Schema.Struct({
  /** Questions with a pass rate at or above this are dropped (paper: 0.75). */
  drop_at: defaulted(Schema.Finite.check(Schema.isGreaterThan(0)), 0.75),
  /** Questions below this are dropped; absent: questions that are never answered stay (paper). */
  floor: Schema.optionalKey(Share),
  /** Drops a question only when its posterior shows the rate to be beyond the cut with this one-sided credibility; absent: the measured rate decides. */
  credible_level: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThan(0.5), Schema.isLessThan(1)))
})
export type FilterSpec = typeof FilterSpec.Type

const last_batch = defaulted(Schema.Literals(["partial", "drop"]), "partial")
/** Whether questions are drawn with replacement over the steps, as the methods were published, or each once in a pass. */
const reuse = defaulted(Schema.Boolean, true)

export const GaussianBatcher = Schema.Struct({
  batcher: Schema.Literal("gaussian"),
  /** Width of the target distribution, in pass rate. */
  sigma: defaulted(Positive, 0.12),
  /** Width in the last batch, reached linearly; absent: the width stays. */
  sigma_end: Schema.optionalKey(Positive),
  /** Path of the centre. `quantile` moves evenly through the pool's own distribution and uses neither start nor end. */
  centre: defaulted(Schema.Literals(["linear", "cosine", "root", "step", "quantile"]), "linear"),
  /** Stairs of the step path; absent: 4. */
  stairs: Schema.optionalKey(Count.check(Schema.isGreaterThanOrEqualTo(2))),
  /** First and last centre; absent: the highest and the lowest kept pass rate. */
  start: Schema.optionalKey(Share),
  end: Schema.optionalKey(Share),
  /** How often the centre goes from start to end; absent: once. */
  epochs: Schema.optionalKey(Count),
  /** With several epochs: whether each serves the whole pool again (true) or they share it (absent, false). */
  reuse: Schema.optionalKey(Schema.Boolean),
  /** Whether each batch holds the pool's ratios of domains (absent, `pool`) or domains are not told apart. */
  domains: Schema.optionalKey(Schema.Literals(["pool", "ignore"])),
  /** Ratios of the domains in each batch by name, in place of the pool's; they are scaled to sum to 1. */
  domain_ratios: Schema.optionalKey(Schema.Record(Schema.String, NonNegative)),
  last_batch
})

export const UniformBatcher = Schema.Struct({ batcher: Schema.Literal("uniform"), last_batch })
/** Strictly from easy to hard. */
export const SortedBatcher = Schema.Struct({ batcher: Schema.Literal("sorted"), last_batch })
/** Strictly from hard to easy. */
export const ReversedBatcher = Schema.Struct({ batcher: Schema.Literal("reversed"), last_batch })

/** Questions whose latest pass rate is in [low, high]; those outside with a small weight. */
export const BalancedBatcher = Schema.Struct({
  batcher: Schema.Literal("balanced"),
  low: defaulted(Share, 0.2),
  high: defaulted(Share, 0.8),
  outside: defaulted(NonNegative, 0.02),
  reuse,
  last_batch
})

export const E2hGaussianBatcher = Schema.Struct({
  batcher: Schema.Literal("e2h_gaussian"),
  /** Width in levels. */
  sigma: defaulted(Positive, 0.5),
  /** Exponent of the path. */
  beta: defaulted(Positive, 0.5),
  /** Least share of a level; absent: 2 / (K (K + 1)) for K levels. */
  floor: Schema.optionalKey(Share),
  reuse,
  last_batch
})

export const AdaRftBatcher = Schema.Struct({
  batcher: Schema.Literal("adarft"),
  /** First target, as a pass rate. */
  start: defaulted(Share, 1),
  eta: defaulted(Positive, 0.5),
  alpha: defaulted(Positive, 2),
  beta: defaulted(Share, 0.5),
  reuse,
  last_batch
})

/** Weight p (1 - p) + floor, p the latest pass rate. */
export const LearnabilityBatcher = Schema.Struct({
  batcher: Schema.Literal("learnability"),
  floor: defaulted(NonNegative, 0.01),
  reuse,
  last_batch
})

export const DifficultyPool = Schema.Struct({
  name: Text.check(Schema.isMinLength(1)),
  /** Highest pass rate of the pool. */
  threshold: Share,
  /** Weight of each of its questions. */
  weight: Positive
})

export const PoolsBatcher = Schema.Struct({
  batcher: Schema.Literal("pools"),
  pools: defaulted(Schema.NonEmptyArray(DifficultyPool), [
    { name: "hard", threshold: 0.25, weight: 0.2 },
    { name: "normal", threshold: 0.75, weight: 1 },
    { name: "easy", threshold: 1, weight: 0.2 }
  ]),
  /** Where questions begin: in the pool of their profile's rate, or unseen with weight 1. */
  begin: defaulted(Schema.Literals(["profile", "unseen"]), "profile"),
  reuse,
  last_batch
})

/** A bandit over levels, whose reward is the mean absolute advantage. */
export const BanditBatcher = Schema.Struct({
  batcher: Schema.Literal("bandit"),
  alpha: defaulted(Share, 0.5),
  tau: defaulted(Positive, 1),
  reuse,
  last_batch
})

export const CurriculumSpec = Schema.Union([
  GaussianBatcher,
  UniformBatcher,
  SortedBatcher,
  ReversedBatcher,
  BalancedBatcher,
  E2hGaussianBatcher,
  AdaRftBatcher,
  LearnabilityBatcher,
  PoolsBatcher,
  BanditBatcher
])
export type CurriculumSpec = typeof CurriculumSpec.Type

/** Refill of groups that teach nothing (DAPO: rates 0 and 1; with [.2, .8] inclusive: the balanced online filter). */
export const GateSpec = Schema.Struct({
  low: defaulted(Share, 0),
  high: defaulted(Share, 1),
  /** Whether rates equal to low or high are admitted. */
  inclusive: defaulted(Schema.Boolean, false),
  /** Rounds of questions that may be asked for one batch. */
  max_rounds: defaulted(Count, 10)
})
export type GateSpec = typeof GateSpec.Type

/** When the rest of the pool is profiled again with the current policy and planned anew. */
export const RefreshSpec = Schema.Union([
  Schema.Struct({ rule: Schema.Literal("every"), steps: Count }),
  Schema.Struct({
    rule: Schema.Literal("plateau"),
    /** Readings that are compared with those before them. */
    window: defaulted(Count.check(Schema.isGreaterThanOrEqualTo(2)), 5),
    /** Least rise of the mean that counts as progress. */
    min_gain: defaulted(NonNegative, 0.01),
    /** Steps that must lie between two refreshes. */
    cooldown: defaulted(Count, 20)
  })
])
export type RefreshSpec = typeof RefreshSpec.Type
