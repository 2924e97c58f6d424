import { assert, describe, it } from "@effect/vitest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type { TrainerRun } from "@gradus/domain/TrainerMessages"
import { serve } from "@gradus/testing/Loopback"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as HttpTrainer from "../src/HttpTrainer.ts"
import { Trainer } from "../src/Trainer.ts"
import { encodeUpdate } from "../src/UpdateCodec.ts"

const run: TrainerRun = {
  format: 1,
  run: "r",
  lease: 5,
  version: 0,
  next_update: 1,
  durable_update: 0,
  parameters: 1,
  vocab_size: 4,
  max_positions: 8,
  end_token_id: 1,
  policy_digest: "0"
}
const update = encodeUpdate({
  header: {
    run: "r",
    update: 1,
    parent_version: 0,
    learning_rate: 0.1,
    loss: { kind: "cross_entropy" },
    normaliser: "tokens",
    denominator: 1
  },
  rows: [{ sample_id: "a", group_id: "g", token_ids: [2, 3], loss_mask: [0, 1] }]
})
const usage = { sequences: 1, tokens: 2, loss_tokens: 1, padding_share: 0, peak_memory_bytes: 1 }
const applied = {
  format: 1,
  run: "r",
  update: 1,
  digest: update.digest,
  applied: true,
  replayed: false,
  reason: null,
  version: 1,
  metrics: { loss: 1.5, grad_norm: null },
  timings: { total: 0.1 },
  usage
}
const problem = (status: number, code: string, retryable: boolean) =>
  HttpServerResponse.jsonUnsafe(
    { format: 1, type: "about:blank", title: code, status, code, detail: "because", retryable },
    { status, contentType: "application/problem+json" }
  )

interface Seen {
  readonly method: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
}

/** Answers requests by turn, the last answer for ever; remembers what came. */
const scripted = Effect.fnUntraced(function* (
  answers: ReadonlyArray<Effect.Effect<HttpServerResponse.HttpServerResponse>>
) {
  const seen: Array<Seen> = []
  const url = yield* serve(
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const body = new Uint8Array(yield* request.arrayBuffer)
      seen.push({ method: `${request.method} ${request.url}`, headers: request.headers, body })
      return yield* answers[Math.min(seen.length, answers.length) - 1] ?? Effect.never
    })
  )
  return { url, seen }
})

const json = (body: unknown, status = 200) => Effect.succeed(HttpServerResponse.jsonUnsafe(body, { status }))

const trainerAt = (url: string, deadline: `${number} millis` | `${number} seconds` = "20 seconds") =>
  HttpTrainer.layer({ url, token: Redacted.make("secret"), deadline, attempts: 3 }).pipe(
    Layer.provide(NodeHttpClient.layerUndici),
    Layer.build,
    Effect.map((services) => Context.get(services, Trainer))
  )

describe("HttpTrainer with a service that fails", () => {
  it.live("sends the same bytes, digest and lease again after a retryable problem and a bad gateway", () =>
    Effect.gen(function* () {
      const gateway = HttpServerResponse.text("<html>bad gateway</html>", { status: 502 })
      const { seen, url } = yield* scripted([
        Effect.succeed(problem(503, "shutting_down", true)),
        Effect.succeed(gateway),
        json(applied)
      ])
      const answer = yield* (yield* trainerAt(url)).update(run, update)
      assert.deepStrictEqual(answer.metrics, { loss: 1.5, grad_norm: null })
      assert.strictEqual(seen.length, 3)
      const digest = Buffer.from(update.digest, "hex").toString("base64")
      for (const { body, headers, method } of seen) {
        assert.strictEqual(method, "PUT /v1/runs/r/updates/1")
        assert.deepStrictEqual(body, update.bytes)
        assert.deepInclude(headers, {
          "content-type": "application/vnd.apache.arrow.stream",
          "content-digest": `sha-256=:${digest}:`,
          lease: "5",
          prefer: "wait=20",
          authorization: "Bearer secret"
        })
      }
    })
  )

  it.live("polls after 202 until the answer is there", () =>
    Effect.gen(function* () {
      const running = json({ format: 1, run: "r", update: 1, status: "running" }, 202)
      const { seen, url } = yield* scripted([running, running, running, json(applied)])
      assert.strictEqual((yield* (yield* trainerAt(url)).update(run, update)).version, 1)
      assert.deepStrictEqual(
        seen.map(({ method }) => method.split(" ")[0]),
        ["PUT", "GET", "GET", "GET"]
      )
    })
  )

  it.live("sends the update again when the service forgot it while it ran", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* scripted([
        json({ format: 1, run: "r", update: 1, status: "running" }, 202),
        Effect.succeed(problem(404, "update_unknown", false)),
        json(applied)
      ])
      assert.strictEqual((yield* (yield* trainerAt(url)).update(run, update)).version, 1)
      assert.deepStrictEqual(
        seen.map(({ method }) => method.split(" ")[0]),
        ["PUT", "GET", "PUT"]
      )
    })
  )

  it.live("does not repeat a refusal that will stay one", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* scripted([Effect.succeed(problem(409, "version_conflict", false))])
      const error = yield* Effect.flip((yield* trainerAt(url)).update(run, update))
      assert.deepInclude(error, { _tag: "TrainerRefused", status: 409, code: "version_conflict", detail: "because" })
      assert.strictEqual(seen.length, 1)
    })
  )

  it.live("gives up after the attempts it has and says the last problem", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* scripted([Effect.succeed(problem(507, "storage_full", true))])
      const error = yield* Effect.flip((yield* trainerAt(url)).update(run, update))
      assert.deepInclude(error, { _tag: "TrainerRefused", code: "storage_full", retryable: true })
      assert.strictEqual(seen.length, 3)
    })
  )

  it.live("says that a service is not there", () =>
    Effect.gen(function* () {
      const { url } = yield* Effect.scoped(scripted([]))
      const error = yield* Effect.flip((yield* trainerAt(url)).info)
      assert.strictEqual(error._tag, "TrainerUnreachable")
      assert.include(error.message, "ECONNREFUSED")
    })
  )

  it.live("ends by the deadline when the service accepts and says nothing", () =>
    Effect.gen(function* () {
      const { url } = yield* scripted([Effect.never])
      const error = yield* Effect.flip((yield* trainerAt(url, "200 millis")).update(run, update))
      assert.deepInclude(error, { _tag: "TrainerDeadline", seconds: 0.2 })
    })
  )

  it.live("refuses an answer about another update, or of another form", () =>
    Effect.gen(function* () {
      const other = yield* scripted([json({ ...applied, digest: "f".repeat(64) })])
      const wrong = yield* Effect.flip((yield* trainerAt(other.url)).update(run, update))
      assert.strictEqual(wrong._tag, "TrainerAnswerInvalid")
      const odd = yield* scripted([json({ hello: "world" })])
      const unreadable = yield* Effect.flip((yield* trainerAt(odd.url)).info)
      assert.strictEqual(unreadable._tag, "TrainerAnswerInvalid")
    })
  )
})
