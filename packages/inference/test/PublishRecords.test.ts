import { assert, describe, it } from "@effect/vitest"
import { CompletionsServer } from "@gradus/testing/CompletionsServer"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as PublishRecords from "../src/PublishRecords.ts"
import * as ServerGenerator from "../src/ServerGenerator.ts"
import { bySeed, built, requestOf, texts } from "./port.ts"

const target = (url: string) => ({ kind: "vllm", url, transport: "directory", directory: "/shared" }) as const
/** What `requestOf` asks for. */
const asked = { run: "loopback", version: 4 }

describe("PublishRecords", () => {
  it.effect("publishes once for a policy, again for another, and again after a failure", () =>
    Effect.gen(function* () {
      const records = yield* PublishRecords.make([target("http://a")])
      const calls: Array<string> = []
      const publish = (name: string, fails = false) =>
        Effect.suspend(() => {
          calls.push(name)
          return fails ? Effect.fail("broken") : Effect.succeed(name)
        })
      assert.deepStrictEqual(yield* records.whole(asked, publish("first")), Option.some("first"))
      assert.deepStrictEqual(yield* records.whole(asked, publish("same")), Option.none())
      yield* records.proven("http://a", asked)
      const other = { ...asked, version: 5 }
      assert.strictEqual(yield* Effect.flip(records.whole(other, publish("fails", true))), "broken")
      // the engine may hold half of either: not even the old policy is proven any more
      for (const policy of [asked, other]) {
        const refused = yield* Effect.flip(records.proven("http://a", policy))
        assert.deepInclude(refused, { retryable: false, url: "http://a" })
        assert.include(refused.reason, "the publish of version 5 failed")
      }
      yield* records.whole(asked, publish("back"))
      yield* records.proven("http://a", asked)
      assert.deepStrictEqual(calls, ["first", "fails", "back"])
    })
  )

  it.effect("proves nothing before the first publish, while one lasts, or for another run", () =>
    Effect.gen(function* () {
      const records = yield* PublishRecords.make([target("http://a")])
      const reason = (run: string) =>
        Effect.map(Effect.flip(records.proven("http://a", { ...asked, run })), (e) => e.reason)
      assert.include(yield* reason("loopback"), "nothing was published to it since this process began")
      const gate = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(records.whole(asked, Deferred.await(gate)), { startImmediately: true })
      assert.include(yield* reason("loopback"), "version 4 is being published")
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(fiber)
      yield* records.proven("http://a", asked)
      assert.include(yield* reason("another"), "it holds version 4 of loopback")
    })
  )

  it.effect("has nothing to publish and nothing to prove where all generation is embedded", () =>
    Effect.gen(function* () {
      const records = yield* PublishRecords.PublishRecords
      assert.deepStrictEqual(records.targets, [])
      assert.isTrue(Option.isNone(yield* records.whole(asked, Effect.die("never"))))
      yield* records.proven("http://a", asked)
    })
  )

  it.live("lets a server generate only what is proven, under the server's own name of the policy", () =>
    Effect.gen(function* () {
      const server = yield* CompletionsServer
      const records = yield* PublishRecords.make([target(server.url)])
      const options = {
        urls: [server.url],
        concurrency: 2,
        deadline: "2 seconds",
        attempts: 2,
        sendSeed: true
      } as const
      const { generate } = yield* built(ServerGenerator.layer({ ...options, records, model: "served" }))
      const refused = yield* Effect.flip(generate(requestOf(2, 2)))
      assert.include(refused.reason, "no proof that it holds version 4 of loopback")
      assert.strictEqual((yield* server.traffic).requests, 0)
      yield* records.whole(asked, Effect.void)
      assert.deepStrictEqual(texts(yield* generate(requestOf(2, 1))), [["p0#0"], ["p1#100"]])
      yield* Effect.ignore(records.whole({ ...asked, version: 5 }, Effect.fail("broken")))
      yield* Effect.flip(generate(requestOf(1, 1)))
      assert.strictEqual((yield* server.traffic).requests, 2)
    }).pipe(Effect.provide(CompletionsServer.layer({ answers: bySeed, model: "served" })))
  )
})
