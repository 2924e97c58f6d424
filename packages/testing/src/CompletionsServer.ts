/** A loopback OpenAI-compatible completions server (vLLM's and the trainer's subset) whose answers and faults are scripted. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import {
  type Answers,
  completionsAnswer,
  CompletionsRequest,
  type CompletionsTwist,
  countPrompts
} from "./CompletionsAnswer.ts"
import { act, type Fault, type Stall } from "./Fault.ts"
import { serve } from "./Loopback.ts"
import { pick, type Script } from "./Script.ts"
import { make as makeCounter, type Traffic } from "./Traffic.ts"

export type CompletionsBehaviour =
  | { readonly kind: "answer" }
  /** A well-formed answer that is wrong in one way. */
  | CompletionsTwist
  | Stall<CompletionsBehaviour>
  | Fault

/** A request as it arrived. */
export interface ReceivedCompletions {
  readonly body: CompletionsRequest
  /** Number of prompts in it. */
  readonly prompts: number
  readonly authorization: string | undefined
}

export interface CompletionsOptions {
  /** What each prompt is answered with. */
  readonly answers: Answers
  /** What is done with each request; default: answer. */
  readonly script?: Script<ReceivedCompletions, CompletionsBehaviour>
  /** The model that is served; another name gets 404. Default `loopback`. */
  readonly model?: string
  /** Said as `policy_version`; absent where the server does not know it (vLLM). */
  readonly policyVersion?: number
}

const behave = (
  behaviour: CompletionsBehaviour,
  received: ReceivedCompletions,
  request: HttpServerRequest.HttpServerRequest,
  options: CompletionsOptions
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  const good = () => completionsAnswer(received.body, options.answers, options.policyVersion)
  switch (behaviour.kind) {
    case "answer":
      return Effect.sync(() => HttpServerResponse.jsonUnsafe(good()))
    case "twist":
      return Effect.sync(() => HttpServerResponse.jsonUnsafe({ ...good(), choices: behaviour.change(good().choices) }))
    case "stall":
      return Effect.delay(
        Effect.suspend(() => behave(behaviour.then ?? { kind: "answer" }, received, request, options)),
        behaviour.ms
      )
    default:
      return act(behaviour, request, good())
  }
}

const modelList = (model: string) => ({
  object: "list",
  data: [{ id: model, object: "model", created: 0, owned_by: "gradus", max_model_len: 4096 }]
})

const openApi = {
  openapi: "3.1.0",
  info: { title: "loopback", version: "1" },
  paths: { "/v1/completions": { post: {} }, "/v1/models": { get: {} } }
}

/** A scripted `/v1/completions`, with `/v1/models` and `/openapi.json`. Only `/v1/completions` is counted. */
export class CompletionsServer extends Context.Service<
  CompletionsServer,
  {
    /** Base URL up to and with `/v1`. */
    readonly endpoint: string
    /** Base URL without a path. */
    readonly url: string
    readonly traffic: Effect.Effect<Traffic>
    /** Requests in order of arrival. */
    readonly received: Effect.Effect<ReadonlyArray<ReceivedCompletions>>
    /** Replaces the script; turns go on counting. */
    readonly follow: (script: Script<ReceivedCompletions, CompletionsBehaviour>) => Effect.Effect<void>
  }
>()("@gradus/testing/CompletionsServer") {
  /** Starts a server; it lives as long as the layer. A body that is not a completions request gets 400. */
  static readonly layer = (options: CompletionsOptions): Layer.Layer<CompletionsServer> =>
    Layer.effect(
      CompletionsServer,
      Effect.gen(function* () {
        const model = options.model ?? "loopback"
        const counter = makeCounter()
        const received: Array<ReceivedCompletions> = []
        let script: Script<ReceivedCompletions, CompletionsBehaviour> = options.script ?? [{ kind: "answer" }]
        const complete = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest, index: number) {
          const body = yield* HttpServerRequest.schemaBodyJson(CompletionsRequest)
          if (body.model !== model) return HttpServerResponse.text(`no model ${body.model}`, { status: 404 })
          const arrived: ReceivedCompletions = {
            body,
            prompts: countPrompts(body.prompt),
            authorization: request.headers["authorization"]
          }
          received.push(arrived)
          return yield* behave(pick(script, arrived, index), arrived, request, options)
        })
        const app = Effect.gen(function* () {
          const request = yield* HttpServerRequest.HttpServerRequest
          switch (`${request.method} ${request.url}`) {
            case "POST /v1/completions":
              return yield* counter.count((index) => complete(request, index))
            case "GET /v1/models":
              return HttpServerResponse.jsonUnsafe(modelList(model))
            case "GET /openapi.json":
              return HttpServerResponse.jsonUnsafe(openApi)
            default:
              return HttpServerResponse.text("no such route", { status: 404 })
          }
        }).pipe(Effect.catch((error) => Effect.succeed(HttpServerResponse.text(String(error), { status: 400 }))))
        const url = yield* serve(app)
        return {
          endpoint: `${url}/v1`,
          url,
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
