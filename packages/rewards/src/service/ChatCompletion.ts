/** One call of an OpenAI-compatible `/v1/chat/completions`, decoded, with every failure typed. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Predicate from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { ChatReply } from "../judge/ChatReply.ts"
import type { ChatMessage } from "../judge/Prompt.ts"
import { JudgeRefused, JudgeReplyMalformed, JudgeUnreachable } from "./JudgeFailure.ts"

export interface ChatCall {
  readonly url: string
  readonly key: Redacted.Redacted | undefined
  readonly body: {
    readonly model: string
    readonly messages: ReadonlyArray<ChatMessage>
    readonly temperature: number
    readonly max_tokens: number
    /** A JSON schema that the reply is held to, where the endpoint can. */
    readonly response_format?: unknown
  }
}

/** Completes an endpoint as people write it (host, `…/v1` or the whole path) to the address of its chat route. */
export const chatUrl = (endpoint: string): string => {
  const base = endpoint.replace(/\/+$/, "")
  if (base.endsWith("/chat/completions")) return base
  return /^https?:\/\/[^/]+$/.test(base) ? `${base}/v1/chat/completions` : `${base}/chat/completions`
}

/** The address as errors show it: without a user and password. */
export const shownUrl = (url: string): string => url.replace(/^(https?:\/\/)[^/]*@/, "$1")

/** Reads a Retry-After header (seconds, or an HTTP date) as milliseconds from `now`; null when there is none to read. */
export const retryAfterMillis = (header: string | undefined, now: number): number | null => {
  if (header === undefined) return null
  // oxlint-disable-next-line no-restricted-globals -- reads a date out of a header, not the clock
  const seconds = /^\s*\d+(?:\.\d+)?\s*$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1000
  return Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : null
}

/** Asks once. Fails with what broke: the wire, the endpoint, or the form of its reply. */
export const askOnce = Effect.fn("ChatCompletion.askOnce")(function* (http: HttpClient.HttpClient, call: ChatCall) {
  const url = shownUrl(call.url)
  const request = HttpClientRequest.post(call.url).pipe(HttpClientRequest.bodyJsonUnsafe(call.body))
  const broken = (answering: boolean) => (error: HttpClientError) =>
    new JudgeUnreachable({ url, reason: reasonOf(error), answering })
  const response = yield* http
    .execute(call.key === undefined ? request : HttpClientRequest.bearerToken(request, call.key))
    .pipe(Effect.mapError(broken(false)))
  if (response.status < 200 || response.status >= 300) {
    const retryAfter = retryAfterMillis(response.headers["retry-after"], yield* Clock.currentTimeMillis)
    return yield* new JudgeRefused({ url, status: response.status, retryAfter })
  }
  const text = yield* Effect.mapError(response.text, broken(true))
  return yield* Schema.decodeEffect(ChatReply)(text).pipe(
    Effect.mapError((error) => new JudgeReplyMalformed({ url, reason: firstLine(error.message) }))
  )
}, Effect.scoped)

/** Names what broke by tag and system code (ECONNREFUSED); texts of causes are left out, since they may quote what was sent. */
const reasonOf = ({ reason }: HttpClientError): string => {
  const code = "cause" in reason && Predicate.hasProperty(reason.cause, "code") ? reason.cause.code : undefined
  return typeof code === "string" ? `${reason._tag} ${code}` : reason._tag
}

const firstLine = (text: string): string => (text.split("\n", 1)[0] ?? "").slice(0, 200)
