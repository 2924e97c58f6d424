/** A policy of a few thousand parameters for tests of the trainer; its tokens: pad 0, end 1, then a b c d. */

/** Says how a trainer's run on it opens; equal seeds give equal weights. */
export const tinyPolicy = (seed: number) =>
  ({
    policy: {
      kind: "init",
      seed,
      architecture: {
        family: "llama",
        hidden_size: 16,
        intermediate_size: 32,
        layers: 1,
        heads: 2,
        kv_heads: 1,
        head_dim: 8,
        norm_epsilon: 1e-5,
        rope_theta: 10_000,
        max_positions: 64,
        tied_embeddings: true,
        init_std: 0.02
      },
      tokenizer: { kind: "characters", pad: "<pad>", end: "<end>", tokens: [], characters: "abcd" }
    },
    optimizer: { kind: "adamw", beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weight_decay: 0, max_grad_norm: 1 },
    micro_batch_tokens: 256,
    dtype: "auto"
  }) as const
