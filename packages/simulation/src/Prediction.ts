/** What a run of a schedule would cost, from the completions that its simulation asked for. Arithmetic: as good as the lengths and the rates that it is given. */
import { type Cost, costOf, type Tokens } from "./ClusterCost.ts"
import type { Cluster, Lengths } from "./SimulationSettings.ts"

/** What a simulated run asked for. */
export interface Asked {
  /** Completions of the profile, re-profiles too, and of all evaluations. */
  readonly profile: number
  readonly evaluate: number
  /** Each step's completions, and those of them that are trained on: groups that teach. */
  readonly steps: ReadonlyArray<{ readonly completions: number; readonly trained: number }>
}

export interface Prediction {
  readonly completions: { readonly profile: number; readonly train: number; readonly evaluate: number }
  readonly tokens: { readonly generated: number; readonly trained: number }
  /** Tokens over the cluster's rates; null where no cluster is stated. Profile and evaluations have no overhead of steps. */
  readonly cost: {
    readonly seconds: number
    readonly gpu_hours: number
    /** Share of the time spent generating. */
    readonly generating_share: number
    readonly train: Cost
  } | null
}

/** Predicts tokens, and time and GPU hours where a cluster is stated. Steps generate their completions and train on prompts and completions of what teaches. */
export const predict = (
  { evaluate, profile, steps }: Asked,
  lengths: Lengths,
  cluster: Cluster | undefined
): Prediction => {
  const rows = steps.map(({ completions, trained }): Tokens => ({
    generated_tokens: completions * lengths.completion_tokens,
    trained_tokens: trained * (lengths.completion_tokens + lengths.prompt_tokens)
  }))
  const sum = (of: (row: Tokens) => number): number => rows.reduce((total, row) => total + of(row), 0)
  const around = (profile + evaluate) * lengths.completion_tokens
  const tokens = { generated: around + sum((row) => row.generated_tokens), trained: sum((row) => row.trained_tokens) }
  const completions = { profile, evaluate, train: steps.reduce((total, step) => total + step.completions, 0) }
  if (cluster === undefined) return { completions, tokens, cost: null }
  const train = costOf(rows, cluster)
  const aroundSeconds = around / (cluster.gpus * cluster.generate_tokens_per_gpu_second)
  const seconds = train.seconds + aroundSeconds
  const generating = train.seconds * train.generating_share + aroundSeconds
  return {
    completions,
    tokens,
    cost: {
      seconds,
      gpu_hours: (seconds * cluster.gpus) / 3600,
      generating_share: seconds === 0 ? 0 : generating / seconds,
      train
    }
  }
}
