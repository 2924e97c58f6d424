import { tinyPolicy } from "@gradus/testing/TinyPolicy"
import { assert, layer } from "@effect/vitest"
import { serve } from "@gradus/testing/Loopback"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Trainer } from "../src/Trainer.ts"
import { TrainerAddress } from "../src/TrainerAddress.ts"
import * as RealTrainer from "./realTrainer.ts"

/** An engine in vLLM's manner that samples from the trainer's own policy: it holds the right weights whatever is sent. */
const engine = (trainer: TrainerAddress["Service"], model: string, failing: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const calls: Array<string> = []
    const broken = [...failing]
    const complete = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
      const asked = (yield* request.json) as { readonly prompt: unknown; readonly max_tokens: number }
      const answer = yield* Effect.promise(() =>
        // the trainer's own route: what an engine answers that has its weights
        fetch(`${trainer.url}/v1/completions`, {
          method: "POST",
          headers: { authorization: `Bearer ${Redacted.value(trainer.token)}`, "content-type": "application/json" },
          body: JSON.stringify({
            model,
            prompt: asked.prompt,
            max_tokens: asked.max_tokens,
            logprobs: 0,
            return_token_ids: true
          })
        }).then((response) => response.json())
      )
      return HttpServerResponse.jsonUnsafe(answer)
    })
    const paths = ["/pause", "/resume", "/collective_rpc", "/v1/completions"]
    const app = Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const path = new URL(request.url, "http://engine").pathname
      calls.push(`${path} ${request.headers["authorization"] ?? "-"}`)
      if (broken.includes(path)) {
        broken.splice(broken.indexOf(path), 1)
        return HttpServerResponse.text("told to fail", { status: 500 })
      }
      if (path === "/openapi.json")
        return HttpServerResponse.jsonUnsafe({ paths: Object.fromEntries(paths.map((each) => [each, {}])) })
      if (path === "/v1/models") return HttpServerResponse.jsonUnsafe({ data: [{ id: "served" }] })
      if (path === "/v1/completions") return yield* complete(request)
      return HttpServerResponse.jsonUnsafe({ message: "done" })
    }).pipe(Effect.orDie)
    return { url: yield* serve(app), calls }
  })

const shared = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "gradus-shared-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

layer(RealTrainer.layer, { excludeTestServices: true, timeout: "120 seconds" })(
  "HttpTrainer publishes from the real service",
  (it) => {
    it.effect("writes the weights, lets the engine read them, and says how near its probabilities are", () =>
      Effect.gen(function* () {
        const trainer = yield* Trainer
        const run = yield* trainer.open("published", tinyPolicy(1))
        const { calls, url } = yield* engine(yield* TrainerAddress, "published", [])
        const directory = yield* shared
        const target = { kind: "vllm", url, transport: "directory", directory, model: "served" } as const
        const answer = yield* trainer.publish(run, 0, [{ ...target, api_key: Redacted.make("key") }])
        assert.deepStrictEqual(
          calls,
          ["/openapi.json", "/v1/models", "/pause", "/collective_rpc", "/resume", "/v1/completions"].map(
            (path) => `${path} Bearer key`
          )
        )
        assert.strictEqual(answer.version, 0)
        assert.strictEqual(answer.targets[0]?.bytes, 4 * run.parameters)
        assert.isBelow(answer.targets[0]?.gap["max_abs"] ?? 1, 1e-4)
        assert.deepStrictEqual(readdirSync(directory), ["published-0"])
      })
    )

    it.effect("publishes again after a failure, as often as it may", () =>
      Effect.gen(function* () {
        const trainer = yield* Trainer
        const run = yield* trainer.open("again", tinyPolicy(2))
        const directory = yield* shared
        const twice = yield* engine(yield* TrainerAddress, "again", ["/collective_rpc", "/resume"])
        const target = { kind: "vllm", url: twice.url, transport: "directory", directory } as const
        assert.strictEqual((yield* trainer.publish(run, 0, [target])).version, 0)
        assert.strictEqual(twice.calls.filter((call) => call.startsWith("/openapi.json")).length, 3)
        const always = yield* engine(
          yield* TrainerAddress,
          "again",
          Array.from({ length: 9 }, () => "/pause")
        )
        const failed = yield* Effect.flip(trainer.publish(run, 0, [{ ...target, url: always.url }]))
        assert.deepInclude(failed, { _tag: "TrainerRefused", code: "publish_failed", status: 502 })
        assert.include(failed.message, `${always.url} at pause: POST /pause?mode=keep answered 500`)
      })
    )

    it.effect("does not publish another version than the live one", () =>
      Effect.gen(function* () {
        const trainer = yield* Trainer
        const run = yield* trainer.open("versions", tinyPolicy(3))
        const target = { kind: "vllm", url: "http://127.0.0.1:9", transport: "directory", directory: "/x" } as const
        const refused = yield* Effect.flip(trainer.publish(run, 1, [target]))
        assert.deepInclude(refused, { code: "version_conflict", field: "version" })
      })
    )
  }
)
