/** `generator:` where completions come from: the trainer's own generator, or vLLM servers that each update's weights are published to. */
import * as Schema from "effect/Schema"
import { defaulted } from "./Defaulted.ts"
import { Positive, SecretReference, Text } from "./Numbers.ts"

/** How weights reach an engine: CUDA IPC on one GPU (asked for by name: vLLM pickles its handles), NCCL, or a shared directory and a reload. */
export const PublishTransport = Schema.Literals(["auto", "ipc", "nccl", "directory"])
export type PublishTransport = typeof PublishTransport.Type

export const GeneratorSpec = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("embedded") }),
  Schema.Struct({
    kind: Schema.Literal("vllm"),
    /** Origins of equal servers, as the trainer and the run both reach them. */
    urls: Schema.NonEmptyArray(Text.check(Schema.isPattern(/^https?:\/\/[^/?#@]+$/))),
    /** The name under which they serve the policy. */
    model: Text,
    transport: defaulted(PublishTransport, "auto"),
    /** A directory that the trainer writes and the servers read. */
    directory: Schema.optionalKey(Text),
    api_key: Schema.optionalKey(SecretReference),
    /** Greatest mean difference, nats, between served and own log-probabilities after a publish. */
    tolerance: defaulted(Positive, 0.05)
  })
])
export type GeneratorSpec = typeof GeneratorSpec.Type
