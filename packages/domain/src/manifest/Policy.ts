/** `policy:` and `trainer:` which weights an experiment starts from, and which service trains them. */
import * as Schema from "effect/Schema"
import { Digest } from "../Digest.ts"
import { defaulted } from "./Defaulted.ts"
import { Address, Count, NonNegative, Positive, SecretReference, Share, Text } from "./Numbers.ts"

/** Shape of a decoder in the Llama family. */
export const Architecture = Schema.Struct({
  family: defaulted(Schema.Literals(["llama", "qwen2", "qwen3"]), "llama"),
  hidden_size: Count,
  intermediate_size: Count,
  layers: Count,
  heads: Count,
  kv_heads: Count,
  head_dim: Count,
  norm_epsilon: defaulted(Positive, 1e-5),
  rope_theta: defaulted(Positive, 10_000),
  max_positions: Count,
  tied_embeddings: defaulted(Schema.Boolean, true),
  /** Standard deviation of the normal initialisation of matrices and embedding. */
  init_std: defaulted(Positive, 0.02)
})

/** One token a character, and markers that are one token each. */
export const CharacterTokenizer = Schema.Struct({
  kind: Schema.Literal("characters"),
  pad: defaulted(Text, "<pad>"),
  end: defaulted(Text, "<end>"),
  tokens: Schema.Array(Text.check(Schema.isMinLength(1))),
  characters: Text.check(Schema.isMinLength(1))
})

export const PolicySpec = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("init"), architecture: Architecture, tokenizer: CharacterTokenizer }),
  Schema.Struct({ kind: Schema.Literal("huggingface"), path: Text }),
  Schema.Struct({ kind: Schema.Literal("gguf"), path: Text }),
  Schema.Struct({ kind: Schema.Literal("artifact"), digest: Digest })
])
export type PolicySpec = typeof PolicySpec.Type

/** Seconds that one call of the trainer may take in all, an update or a checkpoint, and that it may take to start; absent: 600, and 120 to start. */
const TrainerDeadlineSeconds = Schema.optionalKey(Positive)

/** How a trainer computes, wherever it is. */
const computing = {
  dtype: defaulted(Schema.Literals(["auto", "float32", "bfloat16"]), "auto"),
  micro_batch_tokens: defaulted(Count, 8192),
  /** Prompts decoded together by the embedded generator: part of a run's identity, since a row's bits depend on its chunk. */
  chunk_prompts: defaulted(Count, 64),
  deadline: TrainerDeadlineSeconds
}
/** What a process of ours is given. */
const started = {
  threads: defaulted(Count, 2),
  device: defaulted(Schema.Literals(["auto", "cpu", "cuda"]), "auto")
}

export const TrainerSpec = Schema.Union([
  /** Started and stopped by the run. */
  Schema.Struct({
    kind: Schema.Literal("embedded"),
    ...started,
    ...computing
  }),
  /** As embedded, with the policy cut over workers of this machine; they train and score, and generate nothing. */
  Schema.Struct({
    kind: Schema.Literal("torchrun"),
    /** Workers, one a GPU. */
    processes: Count,
    /** Whole copies of the policy among the workers; each copy is cut over processes / replicas of them. */
    replicas: defaulted(Count, 1),
    ...started,
    ...computing
  }),
  /** Reached at an address; its token is named, not written. */
  Schema.Struct({
    kind: Schema.Literal("service"),
    url: Address,
    token: SecretReference,
    ...computing
  })
])
export type TrainerSpec = typeof TrainerSpec.Type

export const OptimizerSpec = Schema.Struct({
  kind: defaulted(Schema.Literal("adamw"), "adamw"),
  beta1: defaulted(Share, 0.9),
  beta2: defaulted(Share, 0.95),
  epsilon: defaulted(Positive, 1e-8),
  weight_decay: defaulted(NonNegative, 0),
  max_grad_norm: defaulted(Positive, 1)
})
export type OptimizerSpec = typeof OptimizerSpec.Type

/** Learning rate by update: linear rise, then constant, cosine or linear fall to `final_share` of the peak. */
export const LearningRateSpec = Schema.Struct({
  peak: Positive,
  warmup_updates: defaulted(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)), 0),
  shape: defaulted(Schema.Literals(["constant", "cosine", "linear"]), "constant"),
  final_share: defaulted(Share, 0.1)
})
export type LearningRateSpec = typeof LearningRateSpec.Type
