import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import { Judge } from "@gradus/rewards/service/Judge"
import { Scorer } from "@gradus/rewards/service/Scorer"
import { type ChatBehaviour, ChatServer } from "@gradus/testing/ChatServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { RewardApi } from "../src/RewardApi.ts"
import { RewardAuth } from "../src/RewardAuth.ts"
import { RewardServer } from "../src/RewardServer.ts"
import { NUMERIC, rewards, send, serving } from "./Serving.ts"

const one = { requests: [{ id: "a", gold: "4", completion: "<think>t</think>4", thinking: "on" }] }

const DOORS = ["/v1/score", "/get_reward", "/rm", "/seed_session", "/verify", "/classify", "/v1/chat/completions"]

describe("the token", () => {
  it.live.each(DOORS)("is asked for at %s", (path) =>
    Effect.gen(function* () {
      for (const authorization of ["", "Bearer", "Bearer wrong", "Basic c2VjcmV0", "secret"]) {
        const { status, type, body } = yield* send(path, {}, { headers: { authorization } })
        assert.strictEqual(status, 401)
        assert.include(type, "application/problem+json")
        assert.deepInclude(body, { type: "urn:gradus:problem:unauthorized", status: 401 })
      }
    }).pipe(Effect.provide(serving()))
  )

  it.live("is asked for at /v1/info, but not to see that the server lives", () =>
    Effect.gen(function* () {
      const none = { headers: { authorization: "" } }
      assert.strictEqual((yield* send("/v1/info", undefined, none)).status, 401)
      assert.deepStrictEqual((yield* send("/healthz", undefined, none)).body, { status: "ok" })
    }).pipe(Effect.provide(serving()))
  )

  it.live("is made where none is given, and another one each time", () =>
    Effect.gen(function* () {
      const make = RewardServer.layer({ rewards: NUMERIC, port: 0 }).pipe(
        Layer.provide(Layer.succeed(Scorer, { score: () => Effect.succeed([]) }))
      )
      const servers = [yield* Layer.build(Layer.fresh(make)), yield* Layer.build(Layer.fresh(make))]
      const tokens = servers.map((server) =>
        Redacted.value(Context.get(server, RewardServer).token ?? Redacted.make(""))
      )
      assert.strictEqual(new Set(tokens).size, 2)
      for (const token of tokens) assert.match(token, /^[0-9a-f]{64}$/)
      for (const server of servers) assert.match(Context.get(server, RewardServer).url, /^http:\/\/127\.0\.0\.1:\d+$/)
    })
  )

  it.live("may be left out on loopback only", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* send("/v1/score", one).pipe(Effect.provide(serving({ token: null })))).status, 200)
      const exposed = yield* Effect.exit(Layer.build(serving({ token: null, host: "0.0.0.0" })))
      assert.isTrue(Exit.isFailure(exposed))
      assert.include(String(exposed), "loopback only")
    })
  )
})

describe("the limits", () => {
  it.live("refuse a batch of more completions", () =>
    Effect.gen(function* () {
      const { status, body } = yield* send("/v1/score", { requests: [1, 2, 3].flatMap(() => one.requests) })
      assert.deepStrictEqual([status, body._tag, body.retryable], [413, "BatchTooLarge", false])
      assert.include(body.detail, "3 completions in one request; at most 2")
      assert.strictEqual((yield* send("/classify", { input: ["4", "4", "4"], ground_truth: "4" })).status, 413)
      assert.strictEqual((yield* send("/v1/score", one)).status, 200)
    }).pipe(Effect.provide(serving({ batchLimit: 2 })))
  )

  it.live("refuse a longer body, whether it says its length or not", () =>
    Effect.gen(function* () {
      const long = JSON.stringify({ requests: [{ ...one.requests[0], completion: "x".repeat(3000) }] })
      const said = yield* send("/v1/score", long)
      assert.deepStrictEqual([said.status, said.body.type], [413, "urn:gradus:problem:body-too-large"])
      const stream = new ReadableStream({
        start: (controller) => {
          controller.enqueue(new TextEncoder().encode(long))
          controller.close()
        }
      })
      const unsaid = yield* send("/v1/score", "", { body: stream, duplex: "half" } as RequestInit)
      assert.strictEqual(unsaid.status, 413)
      assert.strictEqual((yield* send("/v1/score", one)).status, 200)
    }).pipe(Effect.provide(serving({ bodyLimit: 2000 })))
  )

  it.live.each<readonly [string, string]>([
    ["no JSON", "{"],
    ["another JSON", "[]"],
    ["a missing key", '{"requests": [{"id": "a"}]}'],
    ["nothing", ""]
  ])("answer %s with a problem", ([, body]) =>
    Effect.gen(function* () {
      const answer = yield* send("/v1/score", body)
      assert.strictEqual(answer.status, 400)
      assert.include(answer.type, "application/problem+json")
    }).pipe(Effect.provide(serving()))
  )
})

const judged = (options: Partial<typeof JudgeSpec.Encoded> = {}) =>
  Layer.unwrap(
    Effect.map(ChatServer, ({ endpoint }) =>
      Judge.layer(Schema.decodeSync(JudgeSpec)({ endpoint, model: "m", structured: "never", ...options }))
    )
  ).pipe(Layer.provide(NodeHttpClient.layerUndici))

/** A server whose scorer asks a scripted judge. */
const judging = (behaviour: ChatBehaviour, unscored: number | "refuse" = "refuse") => {
  const spec = rewards({ accuracy: "judge" })
  const scorer = Scorer.layerJudge(spec).pipe(
    Layer.provide(judged({ attempts: 1 })),
    Layer.provide(ChatServer.layer([behaviour]))
  )
  return serving({ rewards: spec, unscored }, Layer.orDie(scorer))
}

describe("what a judge cannot say", () => {
  const sample = { prompt: "2+2?", response: "<think>t</think>four", label: "4" }

  it.live("is null at our door and a retryable problem where only numbers fit", () =>
    Effect.gen(function* () {
      const own = yield* send("/v1/score", { requests: [{ ...one.requests[0], completion: "<think>t</think>four" }] })
      assert.deepInclude(own.body.scores[0], { value: null, unscored: "judge_failed" })
      const number = yield* send("/rm", sample)
      assert.deepStrictEqual([number.status, number.body._tag, number.body.retryable], [503, "Unscored", true])
    }).pipe(Effect.provide(judging({ kind: "status", status: 400 })))
  )

  it.live("is the number that the server was told, where it was told one", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* send("/rm", sample)).body, -1)
    }).pipe(Effect.provide(judging({ kind: "answer", text: "hm" }, -1)))
  )
})

describe("shutdown", () => {
  it.live("lets a request that is being scored end", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const server = yield* Layer.buildWithScope(judging({ kind: "stall", ms: 400 }), scope)
      const asked = yield* Effect.forkChild(
        send("/rm", { prompt: "2+2?", response: "<think>t</think>four", label: "4" }).pipe(
          Effect.provideContext(server)
        ),
        { startImmediately: true }
      )
      yield* Effect.sleep("150 millis")
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      const { status, body } = yield* Fiber.join(asked)
      assert.deepStrictEqual([status, body], [200, 1])
      yield* Fiber.join(closing)
      const gone = yield* Effect.exit(
        Effect.tryPromise(() => fetch(`${Context.get(server, RewardServer).url}/healthz`))
      )
      assert.isTrue(Exit.isFailure(gone))
    })
  )
})

describe("the interface", () => {
  it.live("is described by its OpenAPI document and a page", () =>
    Effect.gen(function* () {
      const { body } = yield* send("/openapi.json")
      assert.strictEqual(body.openapi, "3.1.0")
      for (const path of [...DOORS, "/v1/info", "/healthz"]) assert.property(body.paths, path)
      assert.containsAllKeys(body.paths["/v1/score"].post.responses, ["200", "400", "401", "413"])
      const page = yield* send("/docs")
      assert.strictEqual(page.status, 200)
      assert.include(page.body, "Gradus rewards")
    }).pipe(Effect.provide(serving()))
  )

  it.live("makes a typed client", () =>
    Effect.gen(function* () {
      const { url } = yield* RewardServer
      const client = yield* HttpApiClient.make(RewardApi, { baseUrl: url })
      const { scores } = yield* client.doors.score({
        payload: { requests: [{ id: "a", gold: "4", completion: "<think>t</think>4", thinking: "on" }] }
      })
      assert.strictEqual(scores[0]?.value, 1)
      const refused = yield* Effect.flip(client.doors.getReward({ payload: { query: ["x"], labels: [] } }))
      assert.strictEqual(refused._tag, "NotGradable")
    }).pipe(
      Effect.provide([
        HttpApiMiddleware.layerClient(RewardAuth, ({ next, request }) =>
          next(HttpClientRequest.bearerToken(request, "secret"))
        ),
        NodeHttpClient.layerUndici,
        serving()
      ])
    )
  )
})
