import * as Effect from "effect/Effect"
import { assert, describe, it } from "@effect/vitest"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { JobBoard, WorkQueue } from "@gradus/domain/WorkQueue"
import { KEYS } from "../../src/redis/Keys.ts"
import * as RedisStore from "../../src/redis/RedisStore.ts"
import { job, storeContract } from "../StoreContract.ts"
import { redisServer, servers } from "../stores.ts"

for (const binary of servers)
  storeContract(
    `Redis ${binary.version}`,
    Effect.map(
      redisServer({ binary }),
      ({ url }) =>
        (times) =>
          RedisStore.layer({ url, deadline: "2 seconds", ...times })
    )
  )

for (const binary of servers)
  describe(`a store on Redis ${binary.version} in trouble`, () => {
    const store = (url: string) =>
      Layer.build(
        Layer.fresh(RedisStore.layer({ url, deadline: "1 second", patience: "2 seconds", poll: "20 millis" }))
      )

    it.live("its board has twelve thousand jobs, and none", () =>
      Effect.gen(function* () {
        const server = yield* redisServer({ binary })
        const client = yield* store(server.url)
        const all = Effect.provide(
          JobBoard.use((board) => board.all),
          client
        )
        assert.deepStrictEqual(yield* all, [])
        const names = Array.from({ length: 12_000 }, (_, i) => `job-${String(i).padStart(5, "0")}`)
        const record = (name: string) => ({ format: 1, name, attempt: 1, state: "queued", fence: 0, changed: 0 })
        const fields = names.flatMap((name) => [name, JSON.stringify(record(name))])
        yield* Effect.promise(() => server.command("HSET", KEYS.jobs, ...fields))
        assert.deepStrictEqual(
          (yield* all).map(({ name }) => name),
          names
        )
      })
    )

    it.live("a worker that waits for work is told that the store was flushed", () =>
      Effect.gen(function* () {
        const server = yield* redisServer({ binary })
        const client = yield* store(server.url)
        const waiting = yield* Effect.forkChild(
          Effect.provide(Effect.flip(WorkQueue.use((queue) => queue.take(() => Effect.void))), client)
        )
        yield* Effect.sleep("300 millis")
        yield* Effect.promise(() => server.command("FLUSHALL"))
        assert.strictEqual((yield* Fiber.join(waiting))._tag, "StoreWentBack")
      })
    )

    it.live("a worker waits for a store that is away for a moment, and not for ever for one that stays away", () =>
      Effect.gen(function* () {
        const server = yield* redisServer({ binary })
        const client = yield* store(server.url)
        const take = Effect.provide(
          WorkQueue.use((queue) => queue.take((_, { id }) => Effect.succeed(id))),
          client
        )
        const waiting = yield* Effect.forkChild(take)
        yield* Effect.promise(server.kill)
        yield* Effect.promise(server.restart)
        yield* Effect.provide(
          WorkQueue.use((queue) => queue.offer("a#1", job("a"))),
          client
        )
        assert.strictEqual(yield* Fiber.join(waiting), "a#1")
        yield* Effect.promise(server.kill)
        const gone = yield* Effect.flip(take)
        assert.strictEqual(gone._tag, "StoreDeadline")
      })
    )

    it.live("jobs, also those in hand, are there after a kill by -9 and a start from the file", () =>
      Effect.gen(function* () {
        const server = yield* redisServer({ binary })
        const offer = Effect.gen(function* () {
          const client = yield* store(server.url)
          for (const id of ["a#1", "b#1", "c#1"])
            yield* Effect.provide(
              WorkQueue.use((queue) => queue.offer(id, job("a"))),
              client
            )
        })
        yield* Effect.scoped(offer)
        yield* Effect.promise(server.kill)
        yield* Effect.promise(server.restart)
        const client = yield* store(server.url)
        const take = Effect.provide(
          WorkQueue.use((queue) => queue.take((_, { id }) => Effect.succeed(id))),
          client
        )
        assert.deepStrictEqual([yield* take, yield* take, yield* take].toSorted(), ["a#1", "b#1", "c#1"])
      })
    )
  })

describe("rate limits on Redis", () => {
  it.live("are one for all processes", () =>
    Effect.gen(function* () {
      const { url } = yield* redisServer()
      const one = yield* Layer.build(Layer.fresh(RedisStore.layer({ url })))
      const two = yield* Layer.build(Layer.fresh(RedisStore.layer({ url })))
      const ask = RateLimiter.RateLimiter.use((limiter) =>
        limiter.consume({ key: "judge", limit: 3, window: "1 minute", algorithm: "fixed-window", onExceeded: "fail" })
      )
      yield* Effect.provide(ask, one)
      yield* Effect.provide(ask, two)
      yield* Effect.provide(ask, one)
      assert.include(JSON.stringify(yield* Effect.flip(Effect.provide(ask, two))), "RateLimitExceeded")
    })
  )
})
