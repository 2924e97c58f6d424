/**
 * The constants of the trainer protocol (docs/trainer-protocol.md). This file is the one source: `npm run generate` writes Python's copy,
 * and CI fails when that copy is stale. Only plain JSON values may be exported from here.
 */

/** Version of the protocol and of every JSON object in it. */
export const FORMAT = 1

export const MEDIA_TYPE = {
  arrow: "application/vnd.apache.arrow.stream",
  json: "application/json",
  problem: "application/problem+json"
} as const

export const HEADER = { lease: "Lease", digest: "Content-Digest", prefer: "Prefer" } as const

/** The key of the Arrow schema metadata under which an update's JSON header lies. */
export const METADATA_KEY = "gradus"

export const TOKEN_VARIABLE = "GRADUS_TRAINER_TOKEN"

/** Identifiers of runs and checkpoints: nothing else is ever joined to a path. */
export const NAME_PATTERN = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"

/** Columns of an update: Arrow type and whether every update has it. */
export const COLUMN = {
  sample_id: { type: "utf8", required: true },
  group_id: { type: "utf8", required: true },
  token_ids: { type: "list<int32>", required: true },
  loss_mask: { type: "list<uint8>", required: true },
  rollout_logprob: { type: "list<float32>", required: false },
  advantage: { type: "float32", required: false },
  token_advantage: { type: "list<float32>", required: false },
  old_logprob: { type: "list<float32>", required: false },
  ref_logprob: { type: "list<float32>", required: false },
  temperature: { type: "float32", required: false },
  sample_weight: { type: "float32", required: false },
  policy_version: { type: "int32", required: false },
  reward: { type: "float32", required: false },
  truncated: { type: "uint8", required: false }
} as const

/** Problem codes: HTTP status and whether the same request may succeed later. */
export const PROBLEM = {
  unauthorized: { status: 401, retryable: false },
  route_unknown: { status: 404, retryable: false },
  run_unknown: { status: 404, retryable: false },
  update_unknown: { status: 404, retryable: false },
  method_not_allowed: { status: 405, retryable: false },
  update_conflict: { status: 409, retryable: false },
  update_gap: { status: 409, retryable: false },
  version_conflict: { status: 409, retryable: false },
  run_conflict: { status: 409, retryable: false },
  engine_offloaded: { status: 409, retryable: false },
  stale_lease: { status: 412, retryable: false },
  body_too_large: { status: 413, retryable: false },
  media_type_unsupported: { status: 415, retryable: false },
  body_incomplete: { status: 400, retryable: true },
  digest_mismatch: { status: 400, retryable: true },
  json_malformed: { status: 400, retryable: false },
  arrow_malformed: { status: 400, retryable: false },
  field_missing: { status: 422, retryable: false },
  field_unknown: { status: 422, retryable: false },
  field_type: { status: 422, retryable: false },
  field_invalid: { status: 422, retryable: false },
  length_mismatch: { status: 422, retryable: false },
  sequence_too_long: { status: 422, retryable: false },
  token_out_of_range: { status: 422, retryable: false },
  value_not_finite: { status: 422, retryable: false },
  batch_empty: { status: 422, retryable: false },
  policy_unavailable: { status: 422, retryable: false },
  trainer_failed: { status: 500, retryable: true },
  /** The package that writes `/metrics` is not installed where the trainer runs. */
  metrics_unavailable: { status: 501, retryable: false },
  publish_failed: { status: 502, retryable: true },
  /** What `/readyz` says while work would be refused or would wait for more than other work. */
  not_ready: { status: 503, retryable: true },
  shutting_down: { status: 503, retryable: true },
  /** A worker of the trainer died; the others start again with it, and what was applied is replayed. */
  workers_lost: { status: 503, retryable: true },
  storage_full: { status: 507, retryable: true }
} as const
export type ProblemCode = keyof typeof PROBLEM

export const NORMALISER = ["tokens", "sequences", "constant"] as const
export const LOSS = ["cross_entropy", "clipped", "cispo", "gspo"] as const
/** How the gap between sampler and trainer is corrected. */
export const IMPORTANCE = ["none", "truncate", "icepop", "sequence_mask"] as const
