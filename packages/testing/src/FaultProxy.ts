/**
 * A proxy on 127.0.0.1 that stands before a real HTTP server and spoils what goes through, over real sockets: it loses requests and answers, doubles
 * them, delays, cuts, resets, and changes JSON. Which request is spoilt, and how, is a function of the request and its place, so a failure replays.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Http from "node:http"
import { createServer, request as send } from "node:http"
import type { AddressInfo } from "node:net"

/** A way to spoil an exchange. Those that say "unseen" never reach the server behind. */
export type ProxyFault =
  /** Unseen: the port is closed to new connections for some milliseconds, and this one is reset. */
  | { readonly kind: "refused"; readonly ms: number }
  /** Unseen: the connection is reset before a byte of an answer. */
  | { readonly kind: "lost_request" }
  /** Seen: the answer is lost, the connection reset. */
  | { readonly kind: "lost_answer" }
  /** Seen: the connection is closed in the middle of the body that was announced. */
  | { readonly kind: "reset_mid_body" }
  /** Seen: the body comes in pieces with pauses, `ms` in all. */
  | { readonly kind: "slow"; readonly ms: number }
  /** Unseen: nothing is ever answered; the proxy takes the time until the client leaves. */
  | { readonly kind: "hang" }
  /** Seen: the answer comes `ms` later, when the client may have left and asked again. */
  | { readonly kind: "late"; readonly ms: number }
  /** Seen twice: the request is delivered two times, one after the other; the second answer is given. */
  | { readonly kind: "delivered_twice" }
  /** Seen: the answer is written twice on the connection. */
  | { readonly kind: "answered_twice" }
  /** Unseen: a status with a text; `retryAfter` in seconds. */
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: number }
  /** Seen: the first half of the answer's JSON, as a whole response. */
  | { readonly kind: "truncated_json" }
  /** Seen: the JSON is another one. */
  | { readonly kind: "json"; readonly change: (answer: any) => unknown }

/** A request as it arrived. */
export interface Proxied {
  readonly method: string
  readonly path: string
  /** Place of arrival, from 0. */
  readonly index: number
  readonly body: Uint8Array
}

export interface FaultProxyOptions {
  /** Origin of the server behind, without a path. */
  readonly upstream: string
  readonly fault: (request: Proxied) => ProxyFault | undefined
}

/** A request that was never answered: when it came and when its client left, by the monotonic clock, milliseconds. */
interface HungWait {
  readonly from: number
  readonly to: number
}

interface Answered {
  readonly status: number
  readonly headers: Http.IncomingHttpHeaders
  readonly body: Buffer
}

const collect = async (stream: Http.IncomingMessage): Promise<Buffer> => {
  const parts: Array<Buffer> = []
  for await (const part of stream) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

const forward = (origin: URL, incoming: Http.IncomingMessage, body: Buffer): Promise<Answered> =>
  new Promise((resolve, reject) => {
    const { connection: _, host: __, ...headers } = incoming.headers
    const path = incoming.url ?? "/"
    const outgoing = send({ host: origin.hostname, port: origin.port, method: incoming.method, path, headers })
    outgoing.once("error", reject)
    outgoing.once("response", (response) => {
      collect(response).then(
        (whole) => resolve({ status: response.statusCode ?? 502, headers: response.headers, body: whole }),
        reject
      )
    })
    outgoing.end(body)
  })

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Milliseconds between two tries to have the port back. */
const REOPEN_MILLIS = 20
const PIECES = 5

const head = ({ body, headers, status }: Answered): string => {
  const type = headers["content-type"] ?? "application/octet-stream"
  return `HTTP/1.1 ${status} Spoilt\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\nconnection: keep-alive\r\n\r\n`
}

/** Writes a right answer. */
const give = (response: Http.ServerResponse, { body, headers, status }: Answered): void => {
  const { connection: _, "transfer-encoding": __, "content-length": ___, ...kept } = headers
  response.writeHead(status, { ...kept, "content-length": body.length })
  response.end(body)
}

/** Stands for a NaN in the JSON that a change returns. */
export const NAN = "\u0000NaN"

const changed = (answer: Answered, change: (answer: any) => unknown): Answered => ({
  ...answer,
  // JavaScript has no NaN in JSON; Python's servers write it as a bare word
  body: Buffer.from(
    JSON.stringify(change(JSON.parse(answer.body.toString("utf8")))).replaceAll(JSON.stringify(NAN), "NaN")
  )
})

const spoil = async (
  fault: ProxyFault | undefined,
  response: Http.ServerResponse,
  ask: () => Promise<Answered>,
  close: (ms: number) => void,
  hung: (wait: HungWait) => void
): Promise<void> => {
  const socket = response.socket
  switch (fault?.kind) {
    case undefined:
      return give(response, await ask())
    case "refused":
      close(fault.ms)
      socket?.resetAndDestroy()
      return
    case "lost_request":
      socket?.resetAndDestroy()
      return
    case "lost_answer":
      await ask()
      socket?.resetAndDestroy()
      return
    case "reset_mid_body": {
      const answer = await ask()
      response.writeHead(answer.status, { "content-type": "application/json", "content-length": answer.body.length })
      response.write(answer.body.subarray(0, answer.body.length >> 1), () => socket?.resetAndDestroy())
      return
    }
    case "slow": {
      const answer = await ask()
      const size = Math.ceil(answer.body.length / PIECES)
      response.writeHead(answer.status, {
        "content-type": answer.headers["content-type"],
        "content-length": answer.body.length
      })
      for (let piece = 0; piece < PIECES; piece++) {
        response.write(answer.body.subarray(piece * size, (piece + 1) * size))
        await pause(fault.ms / PIECES)
      }
      response.end()
      return
    }
    case "hang": {
      const from = performance.now()
      response.once("close", () => hung({ from, to: performance.now() }))
      return
    }
    case "late":
      give(response, await ask().then(async (answer) => (await pause(fault.ms), answer)))
      return
    case "delivered_twice":
      await ask()
      return give(response, await ask())
    case "answered_twice": {
      const answer = await ask()
      socket?.write(
        Buffer.concat([Buffer.from(head(answer)), answer.body, Buffer.from(head(answer)), answer.body]),
        () => socket.destroy()
      )
      return
    }
    case "status":
      response.writeHead(fault.status, {
        "content-type": "text/plain",
        ...(fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) })
      })
      response.end(`status ${fault.status}`)
      return
    case "truncated_json": {
      const answer = await ask()
      return give(response, { ...answer, body: answer.body.subarray(0, answer.body.length >> 1) })
    }
    case "json":
      return give(response, changed(await ask(), fault.change))
  }
}

/** The proxy, and what it has done so far. */
export class FaultProxy extends Context.Service<
  FaultProxy,
  {
    /** Origin to be used in place of the server's. */
    readonly url: string
    /** Requests that arrived. */
    readonly requests: () => number
    /** How often each kind of fault was acted out. */
    readonly faults: () => Readonly<Record<string, number>>
  }
>()("@gradus/testing/FaultProxy") {
  /** Starts a proxy; it lives as long as the layer. */
  static readonly layer = (options: FaultProxyOptions): Layer.Layer<FaultProxy> =>
    Layer.effect(
      FaultProxy,
      Effect.acquireRelease(
        Effect.promise(() => start(options)),
        ({ stop }) => Effect.promise(stop)
      )
    )
}

const listen = (server: Http.Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject)
      resolve()
    })
  })

/** Starts a proxy outside of Effect. `stop` ends it with every open connection. */
export const start = async ({ fault, upstream }: FaultProxyOptions) => {
  const origin = new URL(upstream)
  let requests = 0
  const faults: Record<string, number> = {}
  const waits: Array<HungWait> = []
  let stopped = false
  const server = createServer((incoming, response) => {
    const index = requests++
    collect(incoming)
      .then(async (body) => {
        const spoilt = fault({ method: incoming.method ?? "", path: incoming.url ?? "", index, body })
        if (spoilt !== undefined) faults[spoilt.kind] = (faults[spoilt.kind] ?? 0) + 1
        await spoil(
          spoilt,
          response,
          () => forward(origin, incoming, body),
          close,
          (wait) => void waits.push(wait)
        )
      })
      // the server behind is gone, or the client has left: either way this connection is of no more use
      .catch(() => response.socket?.destroy())
  })
  let port = 0
  /** Closes the port to new connections for a while: what connects meanwhile is refused by the system itself. */
  const close = (ms: number): void => {
    if (!server.listening) return
    server.close()
    setTimeout(reopen, ms)
  }
  /** Opens the port again. While it was closed the system may have given it to a connection of somebody's: then it is tried until that one is gone. */
  const reopen = (): void => {
    if (!stopped) void listen(server, port).catch(() => setTimeout(reopen, REOPEN_MILLIS))
  }
  await listen(server, 0)
  port = (server.address() as AddressInfo).port
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    faults: (): Readonly<Record<string, number>> => ({ ...faults }),
    /** How long clients waited for what hung, until they left. */
    waits: (): ReadonlyArray<HungWait> => [...waits],
    stop: async () => {
      stopped = true
      server.closeAllConnections()
      if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()))
    }
  }
}
