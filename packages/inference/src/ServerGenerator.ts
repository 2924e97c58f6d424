/** Generation by servers in vLLM's manner: one request a group, many at once. Only the samples that are missing are asked for again, under the same identity. */
import type { CompletionGroup } from "@gradus/domain/Completion"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { ModelList } from "./CompletionsAnswer.ts"
import * as CompletionsExchange from "./CompletionsExchange.ts"
import type { GenerationRequest, GroupRequest } from "./Generator.ts"
import { Generator, GeneratorFailed } from "./Generator.ts"
import * as GroupSamples from "./GroupSamples.ts"
import type { PublishRecords } from "./PublishRecords.ts"

export interface ServerGeneratorOptions {
  /** Origins of equal servers, without a path. A group goes to one of them by its place; each new attempt goes to the next. */
  readonly urls: readonly [string, ...ReadonlyArray<string>]
  readonly apiKey?: Redacted.Redacted
  /** Groups asked for at once, over all servers. */
  readonly concurrency: number
  /** Time that one request may take. */
  readonly deadline: Duration.Input
  /** How often a sample is asked for at most. */
  readonly attempts: number
  /** The name under which the servers know the policy; absent: that of the request. */
  readonly model?: string
  /** Proofs of what the servers hold; absent: they are believed. */
  readonly records?: PublishRecords
  /** Whether seeds are sent: sample k of a group then has its base + k. Slow on vLLM. */
  readonly sendSeed: boolean
}

/** What no other attempt and no other group can mend: a token that is refused, a route or model that is not there, another policy. */
const isFatal = (error: GeneratorFailed): boolean =>
  error.status === undefined ? !error.retryable : [401, 403, 404].includes(error.status)

interface Progress {
  readonly samples: GroupSamples.GroupSamples
  readonly broken: GeneratorFailed | undefined
}

interface Outcome {
  readonly group: CompletionGroup
  /** The failure that the last attempt ended with, when it was no answer at all. */
  readonly broken: GeneratorFailed | undefined
}

const make = (client: HttpClient.HttpClient, options: ServerGeneratorOptions) => {
  const complete = CompletionsExchange.complete(client, { deadline: options.deadline, token: options.apiKey })
  const { sendSeed, urls } = options
  const heldUntil = new Map<string, number>()
  const longest = Duration.toMillis(Duration.fromInputUnsafe(options.deadline))

  /** Keeps a server's wish to be left alone, for all groups; no wish is kept for longer than a request may take. */
  const keepWish = Effect.fnUntraced(function* (url: string, { retryAfterMillis = 0 }: GeneratorFailed) {
    if (retryAfterMillis <= 0) return
    const until = (yield* Clock.currentTimeMillis) + Math.min(retryAfterMillis, longest)
    // of two that were in flight the one that was told to wait less takes nothing back
    heldUntil.set(url, Math.max(until, heldUntil.get(url) ?? 0))
  })

  /** Waits before an attempt: longer from one to the next, and for as long as the server wants. */
  const rest = Effect.fnUntraced(function* (url: string, attempt: number) {
    const wish = (heldUntil.get(url) ?? 0) - (yield* Clock.currentTimeMillis)
    const least = attempt === 0 ? 0 : Duration.toMillis(CompletionsExchange.pause(attempt))
    if (Math.max(wish, least) > 0) yield* Effect.sleep(Math.max(wish, least))
  })

  const ask = Effect.fnUntraced(function* (
    url: string,
    request: GenerationRequest,
    group: GroupRequest,
    ks: ReadonlyArray<number>
  ) {
    yield* options.records?.proven(url, { run: request.model, version: request.policyVersion }) ?? Effect.void
    const answer = yield* complete(url, {
      model: options.model ?? request.model,
      prompt: group.prompt,
      n: ks.length,
      ...request.sampling,
      logprobs: 0,
      return_token_ids: true,
      ...(sendSeed ? { seed: group.seed + (ks[0] ?? 0) } : {})
    })
    yield* CompletionsExchange.checkModel(url, options.model ?? request.model, answer)
    yield* CompletionsExchange.checkVersion(url, request.policyVersion, answer)
    return answer
  })

  /** Asks one server for what a group still lacks; stops at the first request that fails. */
  const askMissing = Effect.fnUntraced(function* (
    url: string,
    request: GenerationRequest,
    group: GroupRequest,
    before: GroupSamples.GroupSamples
  ): Effect.fn.Return<Progress, GeneratorFailed> {
    const missing = GroupSamples.missing(before, group)
    let samples = before
    for (const ks of sendSeed ? GroupSamples.runsOf(missing) : [missing]) {
      const asked = yield* Effect.result(ask(url, request, group, ks))
      if (Result.isFailure(asked)) {
        if (isFatal(asked.failure)) return yield* asked.failure
        yield* keepWish(url, asked.failure)
        return { samples: { ...samples, reason: asked.failure.message }, broken: asked.failure }
      }
      samples = GroupSamples.add(samples, request, group, ks, asked.success)
    }
    return { samples, broken: undefined }
  })

  const generateGroup = Effect.fn("ServerGenerator.group")(function* (
    request: GenerationRequest,
    group: GroupRequest,
    place: number
  ): Effect.fn.Return<Outcome, GeneratorFailed> {
    let progress: Progress = { samples: GroupSamples.empty, broken: undefined }
    for (let attempt = 0; attempt < options.attempts; attempt++) {
      if (progress.broken?.retryable === false) break
      if (GroupSamples.missing(progress.samples, group).length === 0) break
      const url = urls[(place + attempt) % urls.length] ?? urls[0]
      yield* rest(url, attempt)
      progress = yield* askMissing(url, request, group, progress.samples)
    }
    return { group: GroupSamples.close(progress.samples, request, group), broken: progress.broken }
  })

  return Effect.fn("ServerGenerator.generate")(function* (request: GenerationRequest) {
    const outcomes = yield* Effect.forEach(request.groups, (group, place) => generateGroup(request, group, place), {
      concurrency: options.concurrency
    })
    const silent = outcomes.every(({ broken, group }) => group.completions.length === 0 && isSilence(broken))
    const [first] = outcomes
    if (silent && first?.broken !== undefined) return yield* first.broken
    return outcomes.map(({ group }) => group)
  })
}

/** Whether no server answered at all. */
const isSilence = (broken: GeneratorFailed | undefined): boolean => broken !== undefined && broken.status === undefined

/** Asks every server for its models: an unreachable server or a wrong key shows at the start. */
const probe = (client: HttpClient.HttpClient, options: ServerGeneratorOptions) => {
  const list = CompletionsExchange.exchange(client, { deadline: options.deadline, token: options.apiKey })(ModelList)
  return Effect.forEach(options.urls, (url) =>
    list(HttpClientRequest.get(`${url}/v1/models`)).pipe(
      CompletionsExchange.retried(options.attempts),
      Effect.filterOrFail(
        ({ data }) => data.length > 0,
        () => new GeneratorFailed({ url, reason: "it serves no model", retryable: true })
      )
    )
  )
}

/**
 * Generates on OpenAI-compatible servers that know `return_token_ids`. A sample that could not be had after all attempts is a failure of its group;
 * the whole request fails only for a refused key, an unknown route or model, another policy version, or when no server answered at all.
 */
export const layer = (
  options: ServerGeneratorOptions
): Layer.Layer<Generator, GeneratorFailed, HttpClient.HttpClient> =>
  Layer.effect(
    Generator,
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      yield* probe(client, options)
      return Generator.of({ determinism: "external", generate: make(client, options) })
    })
  )
