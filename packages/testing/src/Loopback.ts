/** A real HTTP server on 127.0.0.1 and a free port, closed with its scope together with every open connection. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as HttpServer from "effect/http/HttpServer"
import type * as Scope from "effect/Scope"
import { createServer } from "node:http"

/** Serves an application and returns its base URL, without a slash at the end. */
export const serve = Effect.fn("Loopback.serve")(function* <E>(
  app: Effect.Effect<HttpServerResponse, E, HttpServerRequest | Scope.Scope>
) {
  const node = createServer()
  const server = yield* Effect.orDie(NodeHttpServer.make(() => node, { port: 0, host: "127.0.0.1" }))
  // The server runs its application uninterruptibly; a client that leaves must end the work that it caused.
  yield* server.serve(Effect.interruptible(app))
  yield* Effect.addFinalizer(() => Effect.sync(() => node.closeAllConnections()))
  return HttpServer.formatAddress(server.address).replace(/\/$/, "")
})
