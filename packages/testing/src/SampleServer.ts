/**
 * A loopback OpenAI-compatible server for profiles: as fast as node:http is, with `n` choices (or one), usage, and a count of everything that it was
 * asked. Every choice has a serial number in its text, so that what a client stored can be compared with what was served.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/** What happens to a request in place of a good answer. */
export type SampleFault =
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: number; readonly body?: string }
  | { readonly kind: "reset" }
  | { readonly kind: "nonsense" }
  /** No answer, ever. */
  | { readonly kind: "hang" }

export interface SampleRequest {
  /** The last message, or the prompt. */
  readonly question: string
  readonly system: string | undefined
  readonly n: number
  readonly seed: number | undefined
  readonly path: string
  readonly authorization: string | undefined
  readonly body: Readonly<Record<string, unknown>>
}

export interface SampleServerOptions {
  /** Text of a choice; `serial` counts the choices of this question from 0. */
  readonly text: (question: string, serial: number) => string
  /** Choices that a request gets at most, whatever it asks for; absent: as many as it asks for. */
  readonly most?: number
  readonly delayMillis?: (request: SampleRequest) => number
  readonly fault?: (request: SampleRequest, index: number) => SampleFault | undefined
  /** Whether `usage` is said. Default true. */
  readonly usage?: boolean
  /** Characters at which a text is cut, with the finish reason `length`. */
  readonly cutAt?: number
}

/** Counts of choices but for `requests`. */
export interface SampleCounts {
  readonly requests: number
  /** Of requests that were read. */
  readonly asked: number
  /** Of answers that were handed to the system whole. */
  readonly answered: number
  /** Requests that are being answered now, and the most at once. */
  readonly inFlight: number
  readonly peak: number
}

export interface SampleServer {
  readonly endpoint: string
  readonly counts: () => SampleCounts
  /** Choices asked for, by question. */
  readonly asked: ReadonlyMap<string, number>
  readonly received: ReadonlyArray<SampleRequest>
  readonly close: () => Promise<void>
}

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString("utf8")
}

const requestOf = (path: string, authorization: string | undefined, text: string): SampleRequest => {
  const body = JSON.parse(text) as Record<string, unknown>
  const messages = (body["messages"] ?? []) as ReadonlyArray<{ readonly role: string; readonly content: string }>
  const question = messages.at(-1)?.content ?? String(body["prompt"])
  const system = messages.find(({ role }) => role === "system")?.content
  const seed = body["seed"] as number | undefined
  return { question, system, n: Number(body["n"] ?? 1), seed, path, authorization, body }
}

const actFault = (fault: SampleFault, response: ServerResponse): void => {
  switch (fault.kind) {
    case "status": {
      const retry = fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) }
      response.writeHead(fault.status, { "content-type": "text/plain", ...retry })
      response.end(fault.body ?? `status ${fault.status}`)
      return
    }
    case "reset":
      response.socket?.resetAndDestroy()
      return
    case "nonsense":
      response.writeHead(200, { "content-type": "text/html" }).end("<html>a proxy says hello</html>")
      return
    case "hang":
      return
  }
}

/** Starts a server on 127.0.0.1 and a free port, or `port`. Keeps requests in `received` only where `keep` is set. */
export const startSampleServer = async (
  options: SampleServerOptions,
  { keep = false, port = 0 }: { readonly keep?: boolean; readonly port?: number } = {}
): Promise<SampleServer> => {
  const counts = { requests: 0, asked: 0, answered: 0, inFlight: 0, peak: 0 }
  const asked = new Map<string, number>()
  const received: Array<SampleRequest> = []

  const answer = (request: SampleRequest, response: ServerResponse): void => {
    const n = Math.min(request.n, options.most ?? Infinity)
    const first = asked.get(request.question) ?? 0
    asked.set(request.question, first + n)
    counts.asked += n
    const chat = request.path.endsWith("/chat/completions")
    const choices = Array.from({ length: n }, (_, index) => {
      const whole = options.text(request.question, first + index)
      const cut = whole.length > (options.cutAt ?? Infinity)
      const text = cut ? whole.slice(0, options.cutAt) : whole
      const finish_reason = cut ? "length" : "stop"
      return chat
        ? { index, finish_reason, message: { role: "assistant", content: text } }
        : { index, finish_reason, text, logprobs: null }
    })
    const completion_tokens = n * 20
    const usage = { prompt_tokens: 50, completion_tokens, total_tokens: 50 + completion_tokens }
    const body = JSON.stringify({
      id: "loopback",
      object: chat ? "chat.completion" : "text_completion",
      created: 0,
      model: request.body["model"],
      choices,
      ...(options.usage === false ? {} : { usage })
    })
    const send = () => {
      response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
      response.end(body, () => (counts.answered += n))
    }
    const delay = options.delayMillis?.(request) ?? 0
    if (delay > 0) setTimeout(send, delay)
    else send()
  }

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = incoming.url ?? "/"
    if (incoming.method === "GET") {
      const models = { object: "list", data: [{ id: "loopback", object: "model" }] }
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(models))
      return
    }
    const request = requestOf(path, incoming.headers.authorization, await readBody(incoming))
    const index = counts.requests++
    if (keep) received.push(request)
    counts.inFlight++
    counts.peak = Math.max(counts.peak, counts.inFlight)
    response.once("close", () => counts.inFlight--)
    const fault = options.fault?.(request, index)
    if (fault === undefined) answer(request, response)
    else actFault(fault, response)
  }

  const server = createServer((incoming, response) => {
    // a client that was killed in the middle of its request is no concern of the others
    handle(incoming, response).catch(() => response.destroy())
  })
  server.keepAliveTimeout = 120_000
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", 4096, resolve))
  const { port: bound } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${bound}/v1`,
    counts: () => ({ ...counts }),
    asked,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}
