/** The JSON objects of the trainer protocol (docs/trainer-protocol.md). Decoding ignores keys that a newer trainer adds. */
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { PublishTransport } from "./manifest/Generator.ts"

const format = Schema.Literal(1)
const metrics = Schema.Record(Schema.String, Schema.NullOr(Schema.Finite))

export const TrainerReady = Schema.Struct({
  format,
  url: Schema.String,
  pid: Schema.Int,
  token: Schema.optionalKey(Schema.String)
})
export type TrainerReady = typeof TrainerReady.Type

export const TrainerInfo = Schema.Struct({
  format,
  service: Schema.String,
  version: Schema.String,
  torch: Schema.String,
  device: Schema.String,
  cpu_capability: Schema.String,
  threads: Schema.Int,
  determinism: Schema.Literals(["bitwise", "seeded"]),
  losses: Schema.Array(Schema.String),
  max_body_bytes: Schema.Int,
  runs: Schema.Array(
    Schema.Struct({
      run: Schema.String,
      version: Schema.Int,
      next_update: Schema.Int,
      /** The attention kernel that trains. */
      attention: Schema.optionalKey(Schema.String)
    })
  ),
  memory: Schema.Struct({ resident_bytes: Schema.Finite, peak_bytes: Schema.Finite })
})
export type TrainerInfo = typeof TrainerInfo.Type

export const TrainerRun = Schema.Struct({
  format,
  run: Schema.String,
  lease: Schema.Int,
  version: Schema.Int,
  next_update: Schema.Int,
  durable_update: Schema.Int,
  parameters: Schema.Int,
  vocab_size: Schema.Int,
  max_positions: Schema.Int,
  /** The token that ends a completion. */
  end_token_id: Schema.Int,
  policy_digest: Schema.String
})
export type TrainerRun = typeof TrainerRun.Type

export const UpdateAnswer = Schema.Struct({
  format,
  run: Schema.String,
  update: Schema.Int,
  digest: Schema.String,
  applied: Schema.Boolean,
  replayed: Schema.Boolean,
  reason: Schema.NullOr(Schema.String),
  version: Schema.Int,
  metrics,
  timings: Schema.Record(Schema.String, Schema.Finite),
  usage: Schema.Struct({
    sequences: Schema.Int,
    tokens: Schema.Int,
    loss_tokens: Schema.Int,
    padding_share: Schema.Finite,
    peak_memory_bytes: Schema.Finite
  })
})
export type UpdateAnswer = typeof UpdateAnswer.Type

export const CheckpointAnswer = Schema.Struct({
  format,
  name: Schema.String,
  update: Schema.Int,
  version: Schema.Int,
  digest: Schema.String,
  seconds: Schema.Finite,
  path: Schema.NullOr(Schema.String)
})
export type CheckpointAnswer = typeof CheckpointAnswer.Type

/** An engine to publish to; `model` absent: the only one that it serves. */
export interface PublishTarget {
  readonly kind: "vllm"
  readonly url: string
  readonly transport: PublishTransport
  readonly directory?: string
  readonly model?: string
  readonly api_key?: Redacted.Redacted
  readonly tolerance?: number
}

export const PublishAnswer = Schema.Struct({
  format,
  run: Schema.String,
  version: Schema.Int,
  stage_seconds: Schema.Finite,
  targets: Schema.Array(
    Schema.Struct({
      url: Schema.String,
      transport: Schema.String,
      bytes: Schema.Finite,
      /** By phase: probe, pause, update, resume, check, total. */
      seconds: Schema.Record(Schema.String, Schema.Finite),
      /** Between the trainer's and the served log-probabilities: tokens, mean_abs, max_abs, k1, k3. */
      gap: Schema.Record(Schema.String, Schema.Finite)
    })
  )
})
export type PublishAnswer = typeof PublishAnswer.Type

export const TokenizeAnswer = Schema.Struct({ format, ids: Schema.Array(Schema.Array(Schema.Int)) })
export const DetokenizeAnswer = Schema.Struct({ format, texts: Schema.Array(Schema.String) })

/** RFC 9457 problem details, with the protocol's own members. */
export const Problem = Schema.Struct({
  status: Schema.Int,
  code: Schema.String,
  title: Schema.optionalKey(Schema.String),
  detail: Schema.optionalKey(Schema.String),
  retryable: Schema.Boolean,
  field: Schema.optionalKey(Schema.String),
  row: Schema.optionalKey(Schema.Int),
  expected: Schema.optionalKey(Schema.Int)
})
export type Problem = typeof Problem.Type
