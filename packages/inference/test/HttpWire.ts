/** The port Wire over Effect's own client, for tests: the same contract as the application's. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import { Wire, WireBroken } from "../src/Wire.ts"

export const httpWire: Layer.Layer<Wire> = Layer.effect(
  Wire,
  Effect.map(HttpClient.HttpClient, (client) => ({
    send: ({ body = "", deadlineMillis, headers, method, url }) => {
      const request = HttpClientRequest.make(method)(url, { headers })
      const sent = method === "GET" ? request : HttpClientRequest.bodyText(request, body, "application/json")
      return client.execute(sent).pipe(
        Effect.flatMap((response) =>
          Effect.map(response.text, (text) => ({
            status: response.status,
            retryAfter: response.headers["retry-after"],
            text
          }))
        ),
        Effect.mapError((error) => new WireBroken({ url, reason: error.message })),
        Effect.timeoutOrElse({
          duration: deadlineMillis,
          orElse: () => Effect.fail(new WireBroken({ url, reason: `no answer within ${deadlineMillis / 1000} s` }))
        })
      )
    }
  }))
).pipe(Layer.provide(NodeHttpClient.layerUndici))
