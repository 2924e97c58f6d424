/** Names of metrics in other spellings. Ours are TRL's; what a table lacks keeps its name. */
import type { MetricsRow } from "@gradus/domain/Metrics"

/** Spellings that a tracker can ask for. */
export type Spelling = "trl" | "verl" | "prime-rl" | "nemo-rl"

/** Our name of a metric to another's name of the same quantity. */
type Aliases = Readonly<Record<string, string>>

/**
 * verl's `compute_data_metrics` and its actor's metrics. Its `pg_clipfrac` counts both sides and its `pg_clipfrac_lower` the second bound of
 * dual-clip PPO: neither is one of our `clip_ratio/*`. With a KL term our loss holds what its `pg_loss` leaves out.
 */
const verl: Aliases = {
  reward: "critic/rewards/mean",
  "completions/mean_length": "response_length/mean",
  "completions/min_length": "response_length/min",
  "completions/max_length": "response_length/max",
  "completions/clipped_ratio": "response_length/clip_ratio",
  entropy: "actor/entropy",
  grad_norm: "actor/grad_norm",
  learning_rate: "actor/lr",
  loss: "actor/pg_loss",
  kl: "actor/kl_loss"
}

/** prime-rl's trainer and orchestrator, over all environments. Its `mismatch_kl` is the k3 of trainer and sampler; its `seq_len` counts prompts too. */
const primeRl: Aliases = {
  reward: "reward/all/mean",
  "completions/clipped_ratio": "is_truncated/all/mean",
  entropy: "entropy/all/mean",
  grad_norm: "optim/grad_norm",
  learning_rate: "optim/lr",
  loss: "loss/mean",
  "sampler_gap/k3": "mismatch_kl/all/mean"
}

/** NeMo-RL's GRPO loop, which logs below `train/`. */
const nemoRl: Aliases = {
  reward: "train/reward",
  loss: "train/loss",
  grad_norm: "train/grad_norm",
  learning_rate: "train/lr",
  "completions/mean_length": "train/mean_gen_tokens_per_sample",
  "ratio/mean": "train/probs_ratio",
  "ratio/min": "train/probs_ratio_min",
  "ratio/max": "train/probs_ratio_max",
  kl: "train/kl_penalty",
  "sampler_gap/k3": "train/gen_kl_error"
}

/** All tables. */
export const aliases: Readonly<Record<Spelling, Aliases>> = { trl: {}, verl, "prime-rl": primeRl, "nemo-rl": nemoRl }

/** Lists a row's finite metrics. Those of training keep their name, those of other stages stand below the stage's. */
export const spelt = (row: MetricsRow, spelling: Spelling): ReadonlyArray<readonly [name: string, value: number]> =>
  Object.entries(row.metrics).flatMap(([name, value]) => {
    if (value === null) return []
    const below = name.startsWith(`${row.stage}/`) ? name : `${row.stage}/${name}`
    return [[row.stage === "train" ? (aliases[spelling][name] ?? name) : below, value] as const]
  })
