/** What opens a trainer run: weights to start from, optimizer, and how much is computed at once. */
import { Architecture, CharacterTokenizer, OptimizerSpec, PolicySpec } from "@gradus/domain/manifest/Policy"
import * as Schema from "effect/Schema"

/** Weights drawn from a normal distribution; unlike in a manifest the seed is a number here. */
const InitialisedPolicy = Schema.Struct({
  kind: Schema.Literal("init"),
  seed: Schema.Int,
  architecture: Architecture,
  tokenizer: CharacterTokenizer
})

const [, HuggingFacePolicy, GgufPolicy, ArtifactPolicy] = PolicySpec.members

/** Describes the weights that a run starts from. */
export const RunPolicy = Schema.Union([InitialisedPolicy, HuggingFacePolicy, GgufPolicy, ArtifactPolicy])
export type RunPolicy = typeof RunPolicy.Type

/** Describes the body of `PUT /v1/runs/{run}`, without its `format`, which the client adds. */
export const RunSpec = Schema.Struct({
  policy: RunPolicy,
  optimizer: OptimizerSpec,
  /** Tokens of one forward and backward pass. */
  micro_batch_tokens: Schema.Int,
  dtype: Schema.Literals(["auto", "float32", "bfloat16"])
})
export type RunSpec = typeof RunSpec.Type
