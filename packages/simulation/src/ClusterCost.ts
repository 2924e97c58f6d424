/** What a schedule would cost on a stated cluster: tokens over stated rates. A prediction by arithmetic, as good as the rates that it is given. */
import type { Cluster } from "./SimulationSettings.ts"

export interface Cost {
  readonly generated_tokens: number
  readonly trained_tokens: number
  readonly seconds: number
  readonly gpu_hours: number
  /** Share of the time spent generating. */
  readonly generating_share: number
}

/** Tokens of a step, or of any other part of a run. */
export interface Tokens {
  readonly generated_tokens: number
  readonly trained_tokens: number
}

/** Adds up steps; each has the cluster's overhead. */
export const costOf = (rows: ReadonlyArray<Tokens>, cluster: Cluster): Cost => {
  const { generate_tokens_per_gpu_second, gpus, overhead_seconds, train_tokens_per_gpu_second } = cluster
  const generated = rows.reduce((sum, row) => sum + row.generated_tokens, 0)
  const trained = rows.reduce((sum, row) => sum + row.trained_tokens, 0)
  const generating = generated / (gpus * generate_tokens_per_gpu_second)
  const seconds = generating + trained / (gpus * train_tokens_per_gpu_second) + rows.length * overhead_seconds
  return {
    generated_tokens: generated,
    trained_tokens: trained,
    seconds,
    gpu_hours: (seconds * gpus) / 3600,
    generating_share: seconds === 0 ? 0 : generating / seconds
  }
}
