/** What a simulation is told of its policy and its questions, and of the cluster whose time is predicted. Everything has a default but the cluster's rates: nobody's are assumed. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const defaulted = (value: number, schema: Schema.Codec<number, number> = Schema.Finite) =>
  schema.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))
const Positive = Schema.Finite.check(Schema.isGreaterThan(0))
const NonNegative = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
const Share = NonNegative.check(Schema.isLessThanOrEqualTo(1))

export const SimulationSettings = Schema.Struct({
  /** Ability before anything is learnt: at a difficulty equal to it half of the answers are right. */
  start: defaulted(0),
  /** Difficulties of the questions are normal with this mean and standard deviation. */
  difficulty_mean: defaulted(0.5),
  difficulty_deviation: defaulted(1.5, Positive),
  /** How far the ability moves for a mean signal of 1, and over which distance in difficulty practice carries over. */
  gain: defaulted(0.5, NonNegative),
  reach: defaulted(1.5, Positive),
  /** Ability of the author of warm-up examples, and the share of the way to it that one update goes. */
  author: defaulted(1),
  imitation: defaulted(0.02, Share),
  /** Shares of completions in the wrong format, and of completions that are cut at the token limit. */
  format_error: defaulted(0.02, Share),
  truncated: defaulted(0, Share)
})
export type SimulationSettings = typeof SimulationSettings.Type

/** A cluster on which training and generation take turns on all GPUs, as in the paper's runs. */
export const Cluster = Schema.Struct({
  gpus: Schema.Int.check(Schema.isGreaterThan(0)),
  /** Completion tokens that one GPU generates in a second, all its sequences together. */
  generate_tokens_per_gpu_second: Positive,
  /** Tokens of prompts and completions that one GPU trains on in a second. */
  train_tokens_per_gpu_second: Positive,
  /** Seconds of a step that no rate covers: weight transfer, scoring, waking and sleeping. */
  overhead_seconds: defaulted(0, NonNegative)
})
export type Cluster = typeof Cluster.Type

/** How long completions and prompts of the real policy are taken to be, in tokens. */
export const Lengths = Schema.Struct({ completion_tokens: Positive, prompt_tokens: defaulted(0, NonNegative) })
export type Lengths = typeof Lengths.Type
