/** Generation by the simulated policy: each sample is right or wrong by the latent model and its own seed, whatever it is generated with. */
import type { Completion, CompletionGroup } from "@gradus/domain/Completion"
import { groupId, sampleId } from "@gradus/domain/Completion"
import * as Seed from "@gradus/domain/Seed"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Answers from "./SimulatedAnswers.ts"
import * as Model from "./SimulatedModel.ts"
import type { SimulatedState } from "./SimulatedState.ts"

export interface SimulatedRequest {
  readonly stage: string
  readonly step: number
  readonly model: string
  readonly policyVersion: number
  readonly sampling: { readonly temperature: number; readonly max_tokens: number }
  readonly groups: ReadonlyArray<{
    readonly question_id: string
    readonly prompt: string
    readonly samples: number
    readonly seed: number
  }>
}

export interface SimulatedGeneratorOptions<E> {
  readonly questions: ReadonlyMap<string, Answers.SimulatedQuestion>
  /** Share of completions in the wrong format, and share that is cut at the token limit (and then wrong). */
  readonly formatError: number
  readonly truncated: number
  /** Makes the port's error (`new GeneratorFailed({ url: "simulated", reason, retryable: false })` of inference). */
  readonly fail: (reason: string) => E
  /** Takes the sampler's log-probabilities of each completion. */
  readonly remember: (sampleId: string, logprobs: ReadonlyArray<number>) => void
}

const root = Seed.root(0)

/** Samples one completion from the stream of its seed. */
const sample = <E>(
  ability: Model.Ability,
  question: Answers.SimulatedQuestion,
  seed: number,
  options: SimulatedGeneratorOptions<E>
): Pick<Completion, "text" | "token_ids" | "logprobs" | "finish_reason"> => {
  const stream = Seed.stream(Seed.child(root, "simulated sample", seed))
  const p = Model.passChance(ability, question.difficulty)
  const cut = stream.next() < options.truncated
  const right = stream.next() < p && !cut
  const broken = stream.next() < options.formatError
  const text = Answers.answerText(question, right, broken, stream)
  const kept = cut ? text.slice(0, Math.max(1, Math.floor(text.length / 2))) : text
  const token_ids = cut ? Answers.tokensOf(kept) : [...Answers.tokensOf(kept), Answers.END_TOKEN]
  const each = Math.log(right ? p : 1 - p) / token_ids.length
  return { text: kept, token_ids, logprobs: token_ids.map(() => each), finish_reason: cut ? "length" : "stop" }
}

/** Makes the generator over a state. Its members are those of the port `Generator`. */
export const simulatedGenerator = <E>(state: Ref.Ref<SimulatedState>, options: SimulatedGeneratorOptions<E>) => ({
  determinism: "bitwise" as const,
  generate: Effect.fnUntraced(function* (
    request: SimulatedRequest
  ): Effect.fn.Return<ReadonlyArray<CompletionGroup>, E> {
    const { groups, model, policyVersion, stage, step } = request
    const run = (yield* Ref.get(state)).runs[model]
    if (run === undefined) return yield* Effect.fail(options.fail(`no run ${model} is open`))
    if (run.version !== policyVersion) {
      return yield* Effect.fail(
        options.fail(`the policy has version ${run.version}, and ${policyVersion} was asked for`)
      )
    }
    const out: Array<CompletionGroup> = []
    for (const { prompt, question_id, samples, seed } of groups) {
      const question = options.questions.get(question_id)
      if (question === undefined)
        return yield* Effect.fail(options.fail(`question ${question_id} is not in the simulation`))
      const group_id = groupId(stage, step, question_id)
      const completions = Array.from({ length: samples }, (_, k): Completion => {
        const sample_id = sampleId(stage, step, question_id, k)
        const made = sample(run.ability, question, seed + k, options)
        options.remember(sample_id, made.logprobs as ReadonlyArray<number>)
        return { sample_id, group_id, k, ...made }
      })
      out.push({
        group_id,
        prompt_token_ids: Answers.tokensOf(prompt),
        completions,
        failures: [],
        policy_version: policyVersion
      })
    }
    return out
  })
})
