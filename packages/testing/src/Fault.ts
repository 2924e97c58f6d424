/** What can go wrong with an HTTP answer: the faults that every loopback server of this package can act out. */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Http from "node:http"

/** A way to answer badly. */
export type Fault =
  /** A status with a text body; `retryAfter` (seconds, or an HTTP date) becomes the header. */
  | {
      readonly kind: "status"
      readonly status: number
      readonly retryAfter?: number | string
      readonly body?: string
    }
  /** The connection is reset before a byte was answered. */
  | { readonly kind: "reset" }
  /** The connection is closed in the middle of the body that was announced. */
  | { readonly kind: "cut" }
  /** The right answer's JSON, cut in half, as a whole response. */
  | { readonly kind: "truncated_json" }
  /** Any JSON at all, with status 200. */
  | { readonly kind: "json"; readonly body: unknown }

/** A fault, or a good answer, that comes late. */
export interface Stall<A> {
  readonly kind: "stall"
  readonly ms: number
  /** What follows; absent: a good answer. */
  readonly then?: A
}

const abandon = (request: HttpServerRequest, destroy: (response: Http.ServerResponse) => void) =>
  Effect.andThen(
    Effect.sync(() => destroy(NodeHttpServerRequest.toServerResponse(request) as Http.ServerResponse)),
    Effect.never
  )

const cutInHalf = (response: Http.ServerResponse, text: string) => {
  const bytes = Buffer.from(text)
  response.writeHead(200, { "content-type": "application/json", "content-length": bytes.length })
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.socket?.destroy())
}

/** Acts out a fault; `good` is the answer that would have been right. */
export const act = (
  fault: Fault,
  request: HttpServerRequest,
  good: unknown
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  switch (fault.kind) {
    case "status":
      return Effect.succeed(
        HttpServerResponse.text(fault.body ?? `status ${fault.status}`, {
          status: fault.status,
          ...(fault.retryAfter === undefined ? {} : { headers: { "retry-after": String(fault.retryAfter) } })
        })
      )
    case "reset":
      return abandon(request, (response) => response.socket?.resetAndDestroy())
    case "cut":
      return abandon(request, (response) => cutInHalf(response, JSON.stringify(good)))
    case "truncated_json": {
      const text = JSON.stringify(good)
      return Effect.succeed(
        HttpServerResponse.text(text.slice(0, text.length >> 1), { contentType: "application/json" })
      )
    }
    case "json":
      return Effect.succeed(HttpServerResponse.jsonUnsafe(fault.body))
  }
}
