/** Bodies that are longer than the server reads: refused by their length before they are read, and cut where they do not say it. */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as ProblemDetails from "effect/http/ProblemDetails"

/** Limits every body to so many bytes. */
export const bodyLimit = (bytes: number) =>
  HttpRouter.middleware(
    (handled) =>
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        const length = Number(request.headers["content-length"] ?? 0)
        if (length > bytes) {
          return ProblemDetails.toResponse({
            type: "urn:gradus:problem:body-too-large",
            title: "Body Too Large",
            status: 413,
            detail: `${length} bytes; at most ${bytes}`
          })
        }
        return yield* Effect.provideService(handled, HttpIncomingMessage.MaxBodySize, ByteSize.bytes(bytes))
      }),
    { global: true }
  )
