import { JudgeLedger } from "@gradus/domain/JudgeLedger"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as RedisJudgeStore from "../../src/redis/RedisJudgeStore.ts"
import { judgeStoreContract } from "../JudgeStoreContract.ts"
import { redisServer, servers } from "../stores.ts"

const connect = (url: string) => RedisJudgeStore.layer({ url, deadline: "2 seconds" })

for (const binary of servers)
  judgeStoreContract({
    name: `Redis ${binary.version}`,
    place: Effect.map(redisServer({ binary }), ({ url }) => url),
    connect,
    shared: true
  })

describe("the judges' money on Redis", () => {
  const add = (amount: number) => JudgeLedger.use((ledger) => ledger.add("a", amount))

  it.live("is not lost by a kill of the server, and an addition that waits for it counts once", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const client = yield* Layer.build(RedisJudgeStore.layer({ url: server.url, deadline: "20 seconds" }))
      assert.strictEqual(yield* Effect.provide(add(2), client), 2)
      yield* Effect.promise(server.kill)
      const waiting = yield* Effect.forkChild(
        Effect.forEach([1, 1, 1], (one) => Effect.provide(add(one), client), { concurrency: 3 }),
        { startImmediately: true }
      )
      yield* Effect.promise(server.restart)
      yield* Fiber.join(waiting)
      assert.strictEqual(yield* Effect.provide(add(0), client), 5)
    })
  )

  it.live("pays for nothing when the server was flushed: nobody can say what was spent", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const client = yield* Layer.build(connect(server.url))
      yield* Effect.provide(add(2), client)
      yield* Effect.promise(() => server.command("FLUSHALL"))
      const refused = yield* Effect.flip(Effect.provide(add(1), client))
      assert.strictEqual(refused._tag, "JudgeLedgerFailed")
      assert.include(refused.message, "went back in time")
    })
  )
})
