/** lineage.json: where a run comes from. Nothing here changes what is computed; all of it may explain why it differs. */
import * as Schema from "effect/Schema"

export const Lineage = Schema.Struct({
  format: Schema.Literal(1),
  created: Schema.String,
  commit: Schema.NullOr(Schema.String),
  /** Digest of the uncommitted difference; null when there is none. */
  dirty: Schema.NullOr(Schema.String),
  locks: Schema.Record(Schema.String, Schema.String),
  manifest_digest: Schema.String,
  dataset_digest: Schema.String,
  /** Digest of what lay behind a policy's path; absent for a policy without one, and where only the trainer's host has it. */
  policy_content: Schema.optionalKey(Schema.String),
  /** Digests of the prompt texts that a judge may be sent, where one scores: by kind of truth, with `/json_last` where they ask for a JSON schema's reply. */
  judge_prompts: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  versions: Schema.Record(Schema.String, Schema.String),
  hardware: Schema.Struct({
    cpus: Schema.Int,
    cpu_model: Schema.String,
    memory_bytes: Schema.Finite,
    platform: Schema.String
  }),
  trainer: Schema.Struct({
    torch: Schema.String,
    device: Schema.String,
    cpu_capability: Schema.String,
    determinism: Schema.Literals(["bitwise", "seeded"])
  }),
  /** Determinism class of each stage. */
  stages: Schema.Record(Schema.String, Schema.Literals(["bitwise", "seeded", "external"]))
})
export type Lineage = typeof Lineage.Type
