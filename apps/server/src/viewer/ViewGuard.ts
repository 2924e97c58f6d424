/** What a read-only server on loopback answers at all: its own name, its own pages, reading. */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

/** Completions are hostile text: nothing but our own files may be loaded, run or framed, and nothing leaves. Vega compiles its expressions by an interpreter. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin"
}

/** The worker that makes charts compiles the expressions of its tables; it has no page, and reads nothing over the network but its own parts. */
const WORKER = /^\/assets\/specs\.worker-[\w-]+\.js$/
const WORKER_POLICY = "default-src 'none'; script-src 'self' 'unsafe-eval'"

const NAMES = ["127.0.0.1", "localhost", "[::1]"]

/** Whether a Host header names this machine: another name that resolves to loopback is a page of somebody else (DNS rebinding). */
const isOwnHost = (host: string, names: ReadonlyArray<string> = NAMES): boolean =>
  names.includes(host.replace(/:\d+$/, ""))

/** Whether an Origin header is the server's own: a page of another port of this machine is a page of another program. */
const isOwnOrigin = (origin: string | undefined, host: string): boolean =>
  origin === undefined || origin === `http://${host}`

const refused = (status: number, code: string, detail: string) =>
  HttpServerResponse.jsonUnsafe({ title: detail, status, code }, { status, contentType: "application/problem+json" })

/** Refuses foreign hosts and origins and everything but reading; puts the headers on every answer. */
export const guard = (host: string) =>
  HttpRouter.middleware(
    (served) =>
      Effect.gen(function* () {
        const { headers, method, url } = yield* HttpServerRequest.HttpServerRequest
        const names = NAMES.includes(host) ? NAMES : [...NAMES, host]
        const asked = headers["host"]
        if (asked === undefined || !isOwnHost(asked, names))
          return refused(403, "foreign_host", "this name is not served here")
        if (!isOwnOrigin(headers["origin"], asked))
          return refused(403, "foreign_origin", "pages of other origins may not read here")
        if (method !== "GET" && method !== "HEAD") return refused(405, "read_only", "this server only reads")
        const answer = HttpServerResponse.setHeaders(yield* served, HEADERS)
        return WORKER.test(url)
          ? HttpServerResponse.setHeader(answer, "content-security-policy", WORKER_POLICY)
          : answer
      }),
    { global: true }
  )
