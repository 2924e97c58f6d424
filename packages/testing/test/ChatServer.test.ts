import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Result from "effect/Result"
import { type ChatBehaviour, ChatServer, type ReceivedChat } from "../src/ChatServer.ts"
import type { Script } from "../src/Script.ts"

const ask = Effect.fnUntraced(function* (content = "hello") {
  const { endpoint } = yield* ChatServer
  const response = yield* HttpClientRequest.post(`${endpoint}/chat/completions`).pipe(
    HttpClientRequest.bearerToken("key"),
    HttpClientRequest.bodyJsonUnsafe({ model: "m", messages: [{ role: "user", content }] }),
    HttpClient.execute
  )
  return { status: response.status, headers: response.headers, text: yield* response.text }
})

const against = <A, E>(
  script: Script<ReceivedChat, ChatBehaviour>,
  test: Effect.Effect<A, E, ChatServer | HttpClient.HttpClient>
) => test.pipe(Effect.provide([ChatServer.layer(script), NodeHttpClient.layerUndici]))

describe("ChatServer", () => {
  it.live("answers over HTTP and keeps what it was asked", () =>
    against(
      [{ kind: "answer", text: "Yes" }],
      Effect.gen(function* () {
        const answer = JSON.parse((yield* ask("is it?")).text)
        assert.strictEqual(answer.choices[0].message.content, "Yes")
        const received = yield* (yield* ChatServer).received
        assert.strictEqual(received[0]?.body.messages[0]?.content, "is it?")
        assert.strictEqual(received[0]?.authorization, "Bearer key")
      })
    )
  )

  it.live("follows a list by turn and keeps its last behaviour", () =>
    against(
      [
        { kind: "status", status: 429, retryAfter: 2 },
        { kind: "answer", text: "no" }
      ],
      Effect.gen(function* () {
        const first = yield* ask()
        assert.strictEqual(first.status, 429)
        assert.strictEqual(first.headers["retry-after"], "2")
        assert.strictEqual((yield* ask()).status, 200)
        assert.strictEqual((yield* ask()).status, 200)
        assert.strictEqual((yield* (yield* ChatServer).traffic).requests, 3)
      })
    )
  )

  it.live("breaks connections, cuts bodies and JSON, and empties choices", () =>
    against(
      [{ kind: "reset" }, { kind: "cut" }, { kind: "truncated_json" }, { kind: "empty_choices" }],
      Effect.gen(function* () {
        assert.isTrue(Result.isFailure(yield* Effect.result(ask())))
        assert.isTrue(Result.isFailure(yield* Effect.result(ask())))
        const truncated = yield* ask()
        assert.strictEqual(truncated.status, 200)
        assert.throws(() => JSON.parse(truncated.text))
        assert.deepStrictEqual(JSON.parse((yield* ask()).text).choices, [])
      })
    )
  )

  it.live("counts how many it answers at once, and clients that leave", () =>
    against(
      (received) =>
        received.body.messages[0]?.content === "wait" ? { kind: "stall", ms: 60_000 } : { kind: "stall", ms: 30 },
      Effect.gen(function* () {
        const server = yield* ChatServer
        yield* Effect.all([ask(), ask(), ask()], { concurrency: 3 })
        assert.strictEqual((yield* server.traffic).peak, 3)
        yield* Effect.timeoutOption(ask("wait"), 50)
        yield* Effect.repeat(Effect.delay(server.traffic, 5), { until: (traffic) => traffic.inFlight === 0 })
        assert.strictEqual((yield* server.traffic).interrupted, 1)
      })
    )
  )

  it.live("refuses what is not a chat request", () =>
    against(
      [{ kind: "answer", text: "yes" }],
      Effect.gen(function* () {
        const { endpoint } = yield* ChatServer
        const wrong = yield* HttpClientRequest.post(`${endpoint}/chat/completions`).pipe(
          HttpClientRequest.bodyJsonUnsafe({ model: "m" }),
          HttpClient.execute
        )
        assert.strictEqual(wrong.status, 400)
        assert.strictEqual((yield* HttpClient.get(`${endpoint}/other`)).status, 404)
      })
    )
  )
})
