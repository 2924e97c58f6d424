/** A loopback OpenAI-compatible chat server whose behaviour is scripted: it answers, fails, stalls and talks nonsense over real HTTP. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { act, type Fault, type Stall } from "./Fault.ts"
import { serve } from "./Loopback.ts"
import { pick, type Script } from "./Script.ts"
import { make as makeCounter, type Traffic } from "./Traffic.ts"

export type ChatBehaviour =
  | { readonly kind: "answer"; readonly text: string }
  | { readonly kind: "empty_choices" }
  | { readonly kind: "null_content" }
  | Stall<ChatBehaviour>
  | Fault

export const ChatRequest = Schema.Struct({
  model: Schema.String,
  messages: Schema.Array(Schema.Struct({ role: Schema.String, content: Schema.String })),
  temperature: Schema.optionalKey(Schema.Finite),
  max_tokens: Schema.optionalKey(Schema.Int),
  seed: Schema.optionalKey(Schema.Int),
  response_format: Schema.optionalKey(Schema.Json)
})

/** A request as it arrived. */
export interface ReceivedChat {
  readonly body: typeof ChatRequest.Type
  /** The value of the `authorization` header. */
  readonly authorization: string | undefined
}

/** How a server differs from the usual one. */
export interface ChatServerOptions {
  /** false: answers do not say how many tokens they took, as some servers' do not. Default true. */
  readonly usage?: boolean
}

const USAGE = { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 }

const completion = (request: ReceivedChat, choices: ReadonlyArray<unknown>, { usage = true }: ChatServerOptions) => ({
  id: "chatcmpl-loopback",
  object: "chat.completion",
  created: 0,
  model: request.body.model,
  choices,
  ...(usage ? { usage: USAGE } : {})
})

const choice = (content: string | null) => ({
  index: 0,
  finish_reason: "stop",
  message: { role: "assistant", content }
})

const behave = (
  behaviour: ChatBehaviour,
  received: ReceivedChat,
  request: HttpServerRequest.HttpServerRequest,
  options: ChatServerOptions
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  const answer = (...choices: ReadonlyArray<unknown>) =>
    Effect.succeed(HttpServerResponse.jsonUnsafe(completion(received, choices, options)))
  switch (behaviour.kind) {
    case "answer":
      return answer(choice(behaviour.text))
    case "empty_choices":
      return answer()
    case "null_content":
      return answer(choice(null))
    case "stall":
      return Effect.delay(
        Effect.suspend(() => behave(behaviour.then ?? { kind: "answer", text: "yes" }, received, request, options)),
        behaviour.ms
      )
    default:
      return act(behaviour, request, completion(received, [choice("yes")], options))
  }
}

/** A scripted `/v1/chat/completions`. Its usage is always 11 prompt and 3 completion tokens, where it says any. */
export class ChatServer extends Context.Service<
  ChatServer,
  {
    /** Base URL up to and with `/v1`. */
    readonly endpoint: string
    readonly traffic: Effect.Effect<Traffic>
    /** Requests in order of arrival. */
    readonly received: Effect.Effect<ReadonlyArray<ReceivedChat>>
    /** Replaces the script; turns go on counting. */
    readonly follow: (script: Script<ReceivedChat, ChatBehaviour>) => Effect.Effect<void>
  }
>()("@gradus/testing/ChatServer") {
  /** Starts a server; it lives as long as the layer. A request that is not a chat request gets 400, another path 404. */
  static readonly layer = (
    initial: Script<ReceivedChat, ChatBehaviour>,
    options: ChatServerOptions = {}
  ): Layer.Layer<ChatServer> =>
    Layer.effect(
      ChatServer,
      Effect.gen(function* () {
        const counter = makeCounter()
        const received: Array<ReceivedChat> = []
        let script = initial
        const chat = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest, index: number) {
          const body = yield* HttpServerRequest.schemaBodyJson(ChatRequest)
          const arrived: ReceivedChat = { body, authorization: request.headers["authorization"] }
          received.push(arrived)
          return yield* behave(pick(script, arrived, index), arrived, request, options)
        })
        const app = Effect.gen(function* () {
          const request = yield* HttpServerRequest.HttpServerRequest
          if (request.method !== "POST" || request.url !== "/v1/chat/completions") {
            return HttpServerResponse.text("no such route", { status: 404 })
          }
          return yield* counter.count((index) => chat(request, index))
        }).pipe(Effect.catch((error) => Effect.succeed(HttpServerResponse.text(String(error), { status: 400 }))))
        const url = yield* serve(app)
        return {
          endpoint: `${url}/v1`,
          traffic: counter.read,
          received: Effect.sync(() => [...received]),
          follow: (next) =>
            Effect.sync(() => {
              script = next
            })
        }
      })
    )
}
