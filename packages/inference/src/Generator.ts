/** The port of generation: prompts in, groups of completions out, whatever engine answers. */
import type { CompletionGroup } from "@gradus/domain/Completion"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** One question's prompt and how many answers are wanted. */
export interface GroupRequest {
  readonly question_id: string
  readonly prompt: string
  readonly samples: number
  /** Base of the group: sample k has the stream of seed + k. */
  readonly seed: number
}

/** All that is generated at once: the groups of one step of one stage. */
export interface GenerationRequest {
  readonly stage: string
  readonly step: number
  /** Name by which the engine knows the policy (the trainer's run, for the embedded one). */
  readonly model: string
  /** Number of applied updates that the answering policy must have. */
  readonly policyVersion: number
  readonly sampling: { readonly temperature: number; readonly max_tokens: number }
  readonly groups: ReadonlyArray<GroupRequest>
}

/** Reports that nothing useful can come: a refused token, an unknown model, a chunk that could not be had, a stale policy. */
export class GeneratorFailed extends Schema.TaggedError<GeneratorFailed>()("GeneratorFailed", {
  url: Schema.String,
  /** HTTP status, where one was answered. */
  status: Schema.optionalKey(Schema.Int),
  reason: Schema.String,
  /** Whether the same request may succeed later. */
  retryable: Schema.Boolean,
  /** Milliseconds for which the server asked to be left alone (Retry-After). */
  retryAfterMillis: Schema.optionalKey(Schema.Finite)
}) {
  override get message() {
    const status = this.status === undefined ? "" : ` (status ${this.status})`
    return `generation at ${this.url} failed${status}: ${this.reason}`
  }
}

/** Generates completions. */
export class Generator extends Context.Service<
  Generator,
  {
    /** What equal requests give: equal bits, equal samples on equal hardware, or neither. */
    readonly determinism: "bitwise" | "seeded" | "external"
    /**
     * Generates every sample of every group. Groups come back in the order asked; each has exactly the samples asked for,
     * as completions or as failures with a reason, both in the order of k.
     */
    readonly generate: (request: GenerationRequest) => Effect.Effect<ReadonlyArray<CompletionGroup>, GeneratorFailed>
  }
>()("@gradus/inference/Generator") {}
