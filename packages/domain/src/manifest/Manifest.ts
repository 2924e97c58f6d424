/** The manifest: one file that says all of an experiment. As written it may leave out what has a default; resolved it has everything. */
import * as Schema from "effect/Schema"
import { CurriculumSpec, FilterSpec, GateSpec, ProfileSpec, RefreshSpec } from "./Curriculum.ts"
import { defaulted } from "./Defaulted.ts"
import { GeneratorSpec } from "./Generator.ts"
import { Count, Index, Name, NonNegative, Positive, RootSeed, Text } from "./Numbers.ts"
import { LearningRateSpec, OptimizerSpec, PolicySpec, TrainerSpec } from "./Policy.ts"
import { PolicyLossSpec } from "./PolicyLoss.ts"
import { PromptSpec, QuestionsSpec } from "./Questions.ts"
import { RewardsSpec } from "./Rewards.ts"
import { TrackerSpec } from "./Track.ts"

export const SamplingSpec = Schema.Struct({
  temperature: defaulted(NonNegative, 1),
  max_tokens: Count
})
export type SamplingSpec = typeof SamplingSpec.Type

/** Supervised warm-up on worked examples (token cross-entropy on the completion). */
export const WarmupSpec = Schema.Struct({
  steps: Index,
  examples_per_step: Count,
  learning_rate: LearningRateSpec,
  optimizer: defaulted(OptimizerSpec, {})
})
export type WarmupSpec = typeof WarmupSpec.Type

export const AdvantageRule = Schema.Literals(["grpo", "dr_grpo", "rloo", "loo_std"])
export type AdvantageRule = typeof AdvantageRule.Type

export const TrainSpec = Schema.Struct({
  /** Steps to run; absent: one pass over the plan. */
  steps: Schema.optionalKey(Count),
  prompts_per_step: Count,
  samples_per_prompt: Count.check(Schema.isGreaterThanOrEqualTo(2)),
  updates_per_step: defaulted(Count, 1),
  advantage: defaulted(AdvantageRule, "grpo"),
  /** Below so many scored completions a group is dropped and its question goes back. */
  group_floor: defaulted(Count, 2),
  /** A group whose values differ by no more is constant: its advantages are 0. Absent: 1e-8, which is what rounding leaves of equal values. */
  constant_tolerance: Schema.optionalKey(NonNegative),
  loss: defaulted(PolicyLossSpec, {}),
  /** What the summed loss is divided by: all completion tokens of the step (DAPO), each sequence's own tokens and then the sequences (GRPO), or prompts x samples x max_tokens (Dr. GRPO). */
  normaliser: defaulted(Schema.Literals(["tokens", "sequences", "constant"]), "tokens"),
  learning_rate: LearningRateSpec,
  optimizer: defaulted(OptimizerSpec, {}),
  /** A durable checkpoint every so many steps. */
  checkpoint_every: defaulted(Count, 10)
})
export type TrainSpec = typeof TrainSpec.Type

export const EvaluateSpec = Schema.Struct({
  samples: defaulted(Count, 2),
  /** A reading of the first set every so many steps; 0: only before and after. */
  every: defaulted(Index, 0),
  sampling: Schema.optionalKey(SamplingSpec)
})
export type EvaluateSpec = typeof EvaluateSpec.Type

/** How many questions to ask at once of servers that batch by themselves, and how long to wait. */
export const GenerationSpec = Schema.Struct({
  concurrency: defaulted(Count, 64),
  /** Seconds for one request. */
  deadline: defaulted(Positive, 600),
  attempts: defaulted(Count, 4)
})
export type GenerationSpec = typeof GenerationSpec.Type

export const Manifest = Schema.Struct({
  version: Schema.Literal(1),
  name: Name,
  description: Schema.optionalKey(Text),
  seed: defaulted(RootSeed, 0),
  questions: QuestionsSpec,
  prompt: PromptSpec,
  policy: PolicySpec,
  trainer: defaulted(TrainerSpec, { kind: "embedded" }),
  sampling: SamplingSpec,
  generation: defaulted(GenerationSpec, {}),
  /** Absent: the trainer's own generator. */
  generator: Schema.optionalKey(GeneratorSpec),
  rewards: defaulted(RewardsSpec, {}),
  warmup: Schema.optionalKey(WarmupSpec),
  profile: defaulted(ProfileSpec, {}),
  filter: defaulted(FilterSpec, {}),
  curriculum: defaulted(CurriculumSpec, { batcher: "gaussian" }),
  /** Refills a batch with other questions until every group teaches; absent: a batch is trained on as it was drawn. */
  gate: Schema.optionalKey(GateSpec),
  /** Profiles what is left again, with the policy of that moment; absent: the first profile holds for the whole run. */
  refresh: Schema.optionalKey(RefreshSpec),
  train: TrainSpec,
  evaluate: defaulted(EvaluateSpec, {}),
  /** Where metrics go besides the run's files. */
  track: Schema.optionalKey(Schema.Array(TrackerSpec)),
  report: defaulted(Schema.Struct({ examples: defaulted(Index, 6) }), {})
})
/** The resolved manifest. */
export type Manifest = typeof Manifest.Type
/** The manifest as it is written. @public */
export type ManifestSpec = typeof Manifest.Encoded
