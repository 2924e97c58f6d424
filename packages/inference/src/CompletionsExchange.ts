/** One request to a completions server and its answer, within a deadline. Whatever goes wrong is a `GeneratorFailed` that says whether asking again may help. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { CompletionsAnswer, parseJson } from "./CompletionsAnswer.ts"
import { GeneratorFailed } from "./Generator.ts"
import { retryAfterMillis } from "./RetryAfter.ts"

export interface ExchangeOptions {
  /** Time that one request may take. */
  readonly deadline: Duration.Input
  readonly token: Redacted.Redacted | undefined
}

/** The body of `POST /v1/completions`, as far as this client uses it. */
export interface CompletionsBody {
  readonly model: string
  readonly prompt: string | ReadonlyArray<string>
  readonly n: number
  readonly max_tokens: number
  readonly temperature: number
  readonly logprobs: 0
  readonly return_token_ids: true
  readonly seed?: number
  readonly gradus?: { readonly group_seeds: ReadonlyArray<number> }
}

/** Statuses after which the same request may succeed later. */
const mayPass = (status: number): boolean => status >= 500 || status === 408 || status === 425 || status === 429

/** The pause before an attempt: 200 ms before attempt 1 (the second), then doubling up to 5 s. */
export const pause = (attempt: number): Duration.Duration => Duration.millis(Math.min(200 * 2 ** (attempt - 1), 5000))

const backoff = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("5 seconds")])

/** Asks up to `attempts` times, as long as that may help. */
export const retried =
  (attempts: number) =>
  <A>(call: Effect.Effect<A, GeneratorFailed>): Effect.Effect<A, GeneratorFailed> =>
    Effect.retry(call, { times: attempts - 1, schedule: backoff, while: (error) => error.retryable })

/** What broke, in the words of the system where it has some (`connect ECONNREFUSED …`). */
const reasonOf = ({ cause, message }: HttpClientError.HttpClientError): string =>
  cause instanceof Error && cause.message !== "" ? cause.message : message

/** Some servers say back the key that they refuse; it goes no further. */
const withoutToken = (text: string, token: Redacted.Redacted | undefined): string =>
  token === undefined || Redacted.value(token) === "" ? text : text.replaceAll(Redacted.value(token), "<redacted>")

/** Sends one request and decodes the answer's JSON. */
export const exchange =
  (client: HttpClient.HttpClient, options: ExchangeOptions) =>
  <S extends Schema.Top & { readonly DecodingServices: never }>(schema: S) => {
    const decode = Schema.decodeUnknownEffect(schema)
    const send = Effect.fnUntraced(function* (
      request: HttpClientRequest.HttpClientRequest
    ): Effect.fn.Return<S["Type"], GeneratorFailed> {
      const { url } = request
      const broken = (error: HttpClientError.HttpClientError) =>
        new GeneratorFailed({ url, reason: reasonOf(error), retryable: true })
      const response = yield* Effect.mapError(client.execute(request), broken)
      const text = yield* Effect.mapError(response.text, broken)
      const { status } = response
      if (status >= 400) {
        const reason = withoutToken(text, options.token).slice(0, 300)
        const wish = retryAfterMillis(response.headers["retry-after"], yield* Clock.currentTimeMillis)
        return yield* new GeneratorFailed({
          url,
          status,
          reason,
          retryable: mayPass(status),
          ...(wish === null ? {} : { retryAfterMillis: wish })
        })
      }
      const unreadable = (reason: string) => new GeneratorFailed({ url, status, reason, retryable: true })
      const json = yield* Effect.try({
        try: () => parseJson(text),
        catch: (cause) => unreadable(`the answer is not JSON: ${String(cause)}`)
      })
      return yield* Effect.mapError(decode(json), (error) =>
        unreadable(`the answer has another form: ${error.message}`)
      )
    })
    return (request: HttpClientRequest.HttpClientRequest): Effect.Effect<S["Type"], GeneratorFailed> =>
      send(options.token === undefined ? request : HttpClientRequest.bearerToken(request, options.token)).pipe(
        Effect.timeoutOrElse({
          duration: options.deadline,
          orElse: () => {
            const seconds = Duration.toSeconds(Duration.fromInputUnsafe(options.deadline))
            const reason = `no answer within ${seconds} s`
            return Effect.fail(new GeneratorFailed({ url: request.url, reason, retryable: true }))
          }
        })
      )
  }

/** Makes the function that posts one completions request to a server. */
export const complete = (client: HttpClient.HttpClient, options: ExchangeOptions) => {
  const send = exchange(client, options)(CompletionsAnswer)
  return (url: string, body: CompletionsBody): Effect.Effect<CompletionsAnswer, GeneratorFailed> =>
    send(HttpClientRequest.post(`${url}/v1/completions`).pipe(HttpClientRequest.bodyJsonUnsafe(body)))
}

/** Fails when the answer names another model than the one asked for, as a mixed-up replica does; servers that do not say are believed. */
export const checkModel = (
  url: string,
  asked: string,
  answer: CompletionsAnswer
): Effect.Effect<void, GeneratorFailed> => {
  const model = answer.model ?? asked
  const reason = `the model ${model} answered, ${asked} was asked`
  return model === asked ? Effect.void : Effect.fail(new GeneratorFailed({ url, reason, retryable: true }))
}

/** Fails when the answer comes from another policy than the one asked for; servers that do not say are believed. */
export const checkVersion = (
  url: string,
  asked: number,
  answer: CompletionsAnswer
): Effect.Effect<void, GeneratorFailed> => {
  const version = answer.policy_version ?? asked
  const reason = `stale policy: version ${version} answered, ${asked} was asked`
  return version === asked ? Effect.void : Effect.fail(new GeneratorFailed({ url, reason, retryable: false }))
}
