/** One call to a tracker's HTTP interface. */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { TrackerFailed } from "./Tracker.ts"

export interface Place {
  readonly tracker: string
  readonly url: string
  readonly token: Redacted.Redacted | undefined
  /** Header that takes the token too, besides `Authorization`. */
  readonly tokenHeader?: string
}

/** What a server said, cut short, and without the token that some say back. */
const quoted = (text: string, { token }: Place): string =>
  (token === undefined ? text : text.replaceAll(Redacted.value(token), "…")).slice(0, 200)

/** Sends a request and decodes the answer; 404 is told apart, since "it is not there yet" is an answer too. */
const exchange =
  (client: HttpClient.HttpClient, place: Place, made: (url: string) => HttpClientRequest.HttpClientRequest) =>
  <S extends Schema.Top & { readonly DecodingServices: never }>(path: string, schema: S) => {
    const url = `${place.url.replace(/\/$/, "")}${path}`
    const failed = (reason: string) => new TrackerFailed({ tracker: place.tracker, url, reason })
    const plain = made(url)
    const bearing = place.token === undefined ? plain : HttpClientRequest.bearerToken(plain, place.token)
    const request =
      place.token === undefined || place.tokenHeader === undefined
        ? bearing
        : HttpClientRequest.setHeader(bearing, place.tokenHeader, Redacted.value(place.token))
    return Effect.gen(function* () {
      const response = yield* client.execute(request)
      const text = yield* response.text
      if (response.status === 404) return undefined
      if (response.status >= 400) return yield* failed(`status ${response.status}: ${quoted(text, place)}`)
      return yield* Schema.decodeEffect(Schema.fromJsonString(schema))(text === "" ? "{}" : text)
    }).pipe(
      Effect.mapError((error) => (error instanceof TrackerFailed ? error : failed(error.message))),
      Effect.scoped
    )
  }

/** Posts JSON. */
export const post =
  (client: HttpClient.HttpClient, place: Place) =>
  <S extends Schema.Top & { readonly DecodingServices: never }>(path: string, body: unknown, schema: S) =>
    exchange(client, place, (url) => HttpClientRequest.post(url).pipe(HttpClientRequest.bodyJsonUnsafe(body)))(
      path,
      schema
    )

/** Asks with parameters in the address. */
export const get =
  (client: HttpClient.HttpClient, place: Place) =>
  <S extends Schema.Top & { readonly DecodingServices: never }>(
    path: string,
    parameters: Readonly<Record<string, string>>,
    schema: S
  ) =>
    exchange(client, place, (url) => HttpClientRequest.get(url, { urlParams: parameters }))(path, schema)
