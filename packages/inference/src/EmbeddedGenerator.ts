/**
 * Generation by the trainer itself, on its live weights. The unit is a chunk: some prompts in one request, decoded together. A row's bits depend on its
 * chunk, so chunks are fixed by the request alone, go one after the other, and are had whole or asked again whole.
 */
import type { CompletionGroup } from "@gradus/domain/Completion"
import { groupId } from "@gradus/domain/Completion"
import { TrainerInfo } from "@gradus/domain/TrainerMessages"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { Choice, CompletionsAnswer } from "./CompletionsAnswer.ts"
import * as CompletionsExchange from "./CompletionsExchange.ts"
import type { GenerationRequest, GroupRequest } from "./Generator.ts"
import { Generator, GeneratorFailed } from "./Generator.ts"
import * as SampledCompletion from "./SampledCompletion.ts"

export interface EmbeddedGeneratorOptions {
  /** Origin of the trainer service, without a path. */
  readonly url: string
  readonly token: Redacted.Redacted
  /** Prompts decoded together. Part of a run's identity. */
  readonly chunkPrompts: number
  /** Time that one chunk may take. */
  readonly deadline: Duration.Input
  /** How often a chunk is asked for at most. */
  readonly attempts: number
  /** What the service promises; asked of it (`/v1/info`) when absent. */
  readonly determinism?: "bitwise" | "seeded"
}

/** Cuts groups into chunks of at most `size` prompts with one number of samples, in order. */
export const chunksOf = (
  groups: ReadonlyArray<GroupRequest>,
  size: number
): ReadonlyArray<ReadonlyArray<GroupRequest>> => {
  const chunks: Array<Array<GroupRequest>> = []
  for (const group of groups) {
    const last = chunks.at(-1)
    if (last !== undefined && last.length < size && last[0]?.samples === group.samples) last.push(group)
    else chunks.push([group])
  }
  return chunks
}

/** Puts choices into the order of their indices; fails unless these are exactly 0 to count - 1. */
const arrange = (choices: ReadonlyArray<Choice>, count: number): Result.Result<ReadonlyArray<Choice>, string> => {
  if (choices.length !== count) return Result.fail(`${count} choices were asked and ${choices.length} came`)
  const arranged = choices.toSorted((a, b) => a.index - b.index)
  const wrong = arranged.findIndex((choice, i) => choice.index !== i)
  return wrong < 0 ? Result.succeed(arranged) : Result.fail(`no single choice has the index ${wrong}`)
}

const groupOf = (
  request: GenerationRequest,
  group: GroupRequest,
  choices: ReadonlyArray<Choice>,
  policy_version: number | null
): Result.Result<CompletionGroup, string> =>
  Result.gen(function* () {
    const prompt_token_ids = choices[0]?.prompt_token_ids
    if (prompt_token_ids === undefined || prompt_token_ids === null)
      return yield* Result.fail(`choice ${choices[0]?.index} has no prompt_token_ids`)
    const completions = yield* Result.all(
      choices.map((choice, k) => SampledCompletion.fromChoice(request, group, k, choice))
    )
    const group_id = groupId(request.stage, request.step, group.question_id)
    return { group_id, prompt_token_ids, completions, failures: [], policy_version }
  })

/** Reads a chunk's answer: every sample of every group, or the reason why not. */
const groupsOf = (
  request: GenerationRequest,
  chunk: ReadonlyArray<GroupRequest>,
  samples: number,
  answer: CompletionsAnswer
): Result.Result<ReadonlyArray<CompletionGroup>, string> =>
  Result.gen(function* () {
    const choices = yield* arrange(answer.choices, chunk.length * samples)
    return yield* Result.all(
      chunk.map((group, j) =>
        groupOf(request, group, choices.slice(j * samples, (j + 1) * samples), answer.policy_version ?? null)
      )
    )
  })

const make = (client: HttpClient.HttpClient, options: EmbeddedGeneratorOptions) => {
  const complete = CompletionsExchange.complete(client, options)
  const { attempts, url } = options

  const generateChunk = Effect.fn("EmbeddedGenerator.chunk")(function* (
    request: GenerationRequest,
    chunk: ReadonlyArray<GroupRequest>
  ) {
    const samples = chunk[0]?.samples ?? 0
    const body = {
      model: request.model,
      prompt: chunk.map((group) => group.prompt),
      n: samples,
      ...request.sampling,
      logprobs: 0,
      return_token_ids: true,
      gradus: { group_seeds: chunk.map((group) => group.seed) }
    } as const
    // nothing is guessed from an answer that is not whole: what the network made of it may be better the next time
    return yield* Effect.gen(function* () {
      const answer = yield* complete(url, body)
      yield* CompletionsExchange.checkModel(url, request.model, answer)
      yield* CompletionsExchange.checkVersion(url, request.policyVersion, answer)
      return yield* Effect.fromResult(groupsOf(request, chunk, samples, answer)).pipe(
        Effect.mapError((reason) => new GeneratorFailed({ url, reason, retryable: true }))
      )
    }).pipe(CompletionsExchange.retried(attempts))
  })

  return Effect.fn("EmbeddedGenerator.generate")((request: GenerationRequest) =>
    Effect.map(
      Effect.forEach(chunksOf(request.groups, options.chunkPrompts), (chunk) => generateChunk(request, chunk)),
      (chunks) => chunks.flat()
    )
  )
}

const askDeterminism = (client: HttpClient.HttpClient, options: EmbeddedGeneratorOptions) =>
  CompletionsExchange.exchange(
    client,
    options
  )(TrainerInfo)(HttpClientRequest.get(`${options.url}/v1/info`)).pipe(
    CompletionsExchange.retried(options.attempts),
    Effect.map((info) => info.determinism)
  )

/** Generates on a trainer service's live weights. Fails at once where the service cannot be asked what it promises. */
export const layer = (
  options: EmbeddedGeneratorOptions
): Layer.Layer<Generator, GeneratorFailed, HttpClient.HttpClient> =>
  Layer.effect(
    Generator,
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const determinism = options.determinism ?? (yield* askDeterminism(client, options))
      return Generator.of({ determinism, generate: make(client, options) })
    })
  )
