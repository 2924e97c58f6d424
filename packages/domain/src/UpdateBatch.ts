/** One optimizer update as the trainer gets it: tokens, masks, advantages and a small loss spec. */

/** One sequence: prompt and completion. All per-token arrays are aligned to `token_ids`. */
export interface UpdateRow {
  readonly sample_id: string
  readonly group_id: string
  readonly token_ids: ReadonlyArray<number>
  /** 1 = a sampled token that is trained on. */
  readonly loss_mask: ReadonlyArray<0 | 1>
  /** Natural log-probability under the sampler; 0 where the mask is 0. */
  readonly rollout_logprob?: ReadonlyArray<number>
  readonly advantage?: number
  readonly token_advantage?: ReadonlyArray<number>
  readonly old_logprob?: ReadonlyArray<number>
  readonly ref_logprob?: ReadonlyArray<number>
  readonly temperature?: number
  readonly sample_weight?: number
  readonly policy_version?: number
  readonly reward?: number
  readonly truncated?: 0 | 1
}

/** Correction of the gap between sampler and trainer, from the ratio of the policy before the update to the sampler. */
export type ImportanceSpec =
  | { readonly kind: "none" }
  | { readonly kind: "truncate"; readonly cap: number }
  | { readonly kind: "icepop" | "sequence_mask"; readonly low: number; readonly high: number }

export type LossSpec =
  | { readonly kind: "cross_entropy" }
  | {
      readonly kind: "clipped" | "cispo" | "gspo"
      readonly clip_low: number
      readonly clip_high: number
      readonly kl_coef: number
      /** Weight of the mean token entropy, which is added to what is maximised; absent: 0. */
      readonly entropy_coef?: number
      /** Absent: none. */
      readonly importance?: ImportanceSpec
    }

/** What an update's schema metadata says. */
export interface UpdateHeader {
  readonly run: string
  readonly update: number
  readonly parent_version: number
  readonly learning_rate: number
  readonly loss: LossSpec
  readonly normaliser: "tokens" | "sequences" | "constant"
  readonly denominator: number
}

export interface UpdateBatch {
  readonly header: UpdateHeader
  readonly rows: ReadonlyArray<UpdateRow>
}
