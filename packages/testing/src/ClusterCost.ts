/** What a schedule would cost on a stated cluster: tokens over stated rates. A prediction by arithmetic, as good as the rates that it is given. */

/** A cluster on which training and generation take turns on all GPUs, as in the paper's runs. */
export interface Cluster {
  readonly gpus: number
  /** Completion tokens that one GPU generates in a second, all its sequences together. */
  readonly generate_tokens_per_gpu_second: number
  /** Tokens of prompts and completions that one GPU trains on in a second. */
  readonly train_tokens_per_gpu_second: number
  /** Seconds of a step that no rate covers: weight transfer, scoring, waking and sleeping. */
  readonly overhead_seconds: number
}

export interface Cost {
  readonly generated_tokens: number
  readonly trained_tokens: number
  readonly seconds: number
  readonly gpu_hours: number
  /** Share of the time spent generating. */
  readonly generating_share: number
}

/** Adds up steps. Throws a RangeError for a rate or a number of GPUs that is not positive. */
export const costOf = (
  rows: ReadonlyArray<{ readonly generated_tokens: number; readonly trained_tokens: number }>,
  cluster: Cluster
): Cost => {
  const { generate_tokens_per_gpu_second, gpus, overhead_seconds, train_tokens_per_gpu_second } = cluster
  for (const [name, value] of Object.entries({ gpus, generate_tokens_per_gpu_second, train_tokens_per_gpu_second })) {
    if (!(value > 0)) throw new RangeError(`${name} is ${value}, and must be above 0`)
  }
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
