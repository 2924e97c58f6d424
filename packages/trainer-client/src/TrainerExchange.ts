/** One request to the trainer and its answer: problems become `TrainerRefused`, broken connections `TrainerUnreachable`; both are asked again where that may help. */
import { Problem } from "@gradus/domain/TrainerMessages"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { TrainerAnswerInvalid, TrainerDeadline, TrainerRefused, TrainerUnreachable } from "./TrainerErrors.ts"
import type { TrainerError } from "./TrainerErrors.ts"

export interface ExchangeOptions {
  /** Origin of the service, without a path. */
  readonly url: string
  readonly token: Redacted.Redacted
  /** Time for a whole call: waiting, asking again and all. */
  readonly deadline: Duration.Input
  /** How often a request is sent at most, when it meets broken connections or retryable problems. */
  readonly attempts: number
}

/** A whole answer below status 400. */
export interface Answer {
  readonly url: string
  readonly status: number
  readonly body: Uint8Array
}

const decodeProblem = Schema.decodeUnknownOption(Schema.fromJsonString(Problem))

const refusal = (status: number, body: Uint8Array): TrainerRefused => {
  const text = new TextDecoder().decode(body)
  const problem = decodeProblem(text)
  if (problem._tag === "None") {
    const retryable = status >= 500 || status === 429 || status === 408
    return new TrainerRefused({ status, code: `http_${status}`, detail: text.slice(0, 300), retryable })
  }
  const { code, detail, expected, field, retryable, row, title } = problem.value
  return new TrainerRefused({
    status,
    code,
    detail: detail ?? title ?? code,
    retryable,
    ...(field === undefined ? {} : { field }),
    ...(row === undefined ? {} : { row }),
    ...(expected === undefined ? {} : { expected })
  })
}

/** What broke, in the words of the system where it has some (`connect ECONNREFUSED …`). */
const reasonOf = ({ cause, message }: HttpClientError.HttpClientError): string =>
  cause instanceof Error && cause.message !== "" ? cause.message : message

/** An answer that cannot be read was spoilt on its way: asking again is safe, since the ledger answers as before. */
const mayHelp = (error: TrainerError): boolean =>
  error._tag === "TrainerUnreachable" ||
  error._tag === "TrainerAnswerInvalid" ||
  (error._tag === "TrainerRefused" && error.retryable)

/** 100 ms, then doubling up to 2 s. */
const backoff = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")])

/** Sends requests to one service. */
export const make = (client: HttpClient.HttpClient, options: ExchangeOptions) => {
  const once = Effect.fnUntraced(function* (
    request: HttpClientRequest.HttpClientRequest
  ): Effect.fn.Return<Answer, TrainerError> {
    const url = `${options.url}${request.url}`
    const unreachable = (error: HttpClientError.HttpClientError) =>
      new TrainerUnreachable({ url, reason: reasonOf(error) })
    const response = yield* client
      .execute(request.pipe(HttpClientRequest.prependUrl(options.url), HttpClientRequest.bearerToken(options.token)))
      .pipe(Effect.mapError(unreachable))
    const body = new Uint8Array(yield* Effect.mapError(response.arrayBuffer, unreachable))
    if (response.status >= 400) return yield* refusal(response.status, body)
    return { url, status: response.status, body }
  })

  /** Sends a request and reads its answer, again where that may help; `within` bounds each time that it is sent. */
  const ask = <A>(
    request: HttpClientRequest.HttpClientRequest,
    read: (answer: Answer) => Effect.Effect<A, TrainerError>,
    within?: Duration.Input
  ): Effect.Effect<A, TrainerError> => {
    const bounded =
      within === undefined
        ? once(request)
        : Effect.timeoutOrElse(once(request), {
            duration: within,
            orElse: () =>
              Effect.fail(
                new TrainerUnreachable({
                  url: `${options.url}${request.url}`,
                  reason: `no answer within ${Duration.toSeconds(Duration.fromInputUnsafe(within))} s`
                })
              )
          })
    return Effect.retry(Effect.flatMap(bounded, read), {
      times: options.attempts - 1,
      schedule: backoff,
      while: mayHelp
    })
  }

  /** Ends a whole call, however often it sends, by the deadline. */
  const byDeadline =
    (path: string) =>
    <A>(call: Effect.Effect<A, TrainerError>): Effect.Effect<A, TrainerError> =>
      Effect.timeoutOrElse(call, {
        duration: options.deadline,
        orElse: () =>
          Effect.fail(
            new TrainerDeadline({
              url: `${options.url}${path}`,
              seconds: Duration.toSeconds(Duration.fromInputUnsafe(options.deadline))
            })
          )
      })

  return { ask, byDeadline }
}

/** Reads an answer's JSON by a schema. */
export const decodeJson = <S extends Schema.Top & { readonly DecodingServices: never }>(schema: S) => {
  const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(schema))
  return (answer: Answer): Effect.Effect<S["Type"], TrainerAnswerInvalid> =>
    decode(new TextDecoder().decode(answer.body)).pipe(
      Effect.mapError((error) => new TrainerAnswerInvalid({ url: answer.url, reason: error.message }))
    )
}
