"""Constants of the trainer protocol. Written by `npm run generate` from packages/domain/src/TrainerWire.ts: do not edit."""

COLUMN = {
    "sample_id": {
        "type": "utf8",
        "required": True
    },
    "group_id": {
        "type": "utf8",
        "required": True
    },
    "token_ids": {
        "type": "list<int32>",
        "required": True
    },
    "loss_mask": {
        "type": "list<uint8>",
        "required": True
    },
    "rollout_logprob": {
        "type": "list<float32>",
        "required": False
    },
    "advantage": {
        "type": "float32",
        "required": False
    },
    "token_advantage": {
        "type": "list<float32>",
        "required": False
    },
    "old_logprob": {
        "type": "list<float32>",
        "required": False
    },
    "ref_logprob": {
        "type": "list<float32>",
        "required": False
    },
    "temperature": {
        "type": "float32",
        "required": False
    },
    "sample_weight": {
        "type": "float32",
        "required": False
    },
    "policy_version": {
        "type": "int32",
        "required": False
    },
    "reward": {
        "type": "float32",
        "required": False
    },
    "truncated": {
        "type": "uint8",
        "required": False
    }
}
FORMAT = 1
HEADER = {
    "lease": "Lease",
    "digest": "Content-Digest",
    "prefer": "Prefer"
}
IMPORTANCE = [
    "none",
    "truncate",
    "icepop",
    "sequence_mask"
]
LOSS = [
    "cross_entropy",
    "clipped",
    "cispo",
    "gspo"
]
MEDIA_TYPE = {
    "arrow": "application/vnd.apache.arrow.stream",
    "json": "application/json",
    "problem": "application/problem+json"
}
METADATA_KEY = "gradus"
NAME_PATTERN = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
NORMALISER = [
    "tokens",
    "sequences",
    "constant"
]
PROBLEM = {
    "unauthorized": {
        "status": 401,
        "retryable": False
    },
    "route_unknown": {
        "status": 404,
        "retryable": False
    },
    "run_unknown": {
        "status": 404,
        "retryable": False
    },
    "update_unknown": {
        "status": 404,
        "retryable": False
    },
    "method_not_allowed": {
        "status": 405,
        "retryable": False
    },
    "update_conflict": {
        "status": 409,
        "retryable": False
    },
    "update_gap": {
        "status": 409,
        "retryable": False
    },
    "version_conflict": {
        "status": 409,
        "retryable": False
    },
    "run_conflict": {
        "status": 409,
        "retryable": False
    },
    "engine_offloaded": {
        "status": 409,
        "retryable": False
    },
    "stale_lease": {
        "status": 412,
        "retryable": False
    },
    "body_too_large": {
        "status": 413,
        "retryable": False
    },
    "media_type_unsupported": {
        "status": 415,
        "retryable": False
    },
    "body_incomplete": {
        "status": 400,
        "retryable": True
    },
    "digest_mismatch": {
        "status": 400,
        "retryable": True
    },
    "json_malformed": {
        "status": 400,
        "retryable": False
    },
    "arrow_malformed": {
        "status": 400,
        "retryable": False
    },
    "field_missing": {
        "status": 422,
        "retryable": False
    },
    "field_unknown": {
        "status": 422,
        "retryable": False
    },
    "field_type": {
        "status": 422,
        "retryable": False
    },
    "field_invalid": {
        "status": 422,
        "retryable": False
    },
    "length_mismatch": {
        "status": 422,
        "retryable": False
    },
    "sequence_too_long": {
        "status": 422,
        "retryable": False
    },
    "token_out_of_range": {
        "status": 422,
        "retryable": False
    },
    "value_not_finite": {
        "status": 422,
        "retryable": False
    },
    "batch_empty": {
        "status": 422,
        "retryable": False
    },
    "policy_unavailable": {
        "status": 422,
        "retryable": False
    },
    "trainer_failed": {
        "status": 500,
        "retryable": True
    },
    "metrics_unavailable": {
        "status": 501,
        "retryable": False
    },
    "publish_failed": {
        "status": 502,
        "retryable": True
    },
    "not_ready": {
        "status": 503,
        "retryable": True
    },
    "shutting_down": {
        "status": 503,
        "retryable": True
    },
    "workers_lost": {
        "status": 503,
        "retryable": True
    },
    "storage_full": {
        "status": 507,
        "retryable": True
    }
}
TOKEN_VARIABLE = "GRADUS_TRAINER_TOKEN"
