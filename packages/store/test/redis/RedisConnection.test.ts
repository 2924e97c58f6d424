/** What every call to a Redis does when that Redis hangs, is full, forgets, or is another one. */
import type { StoreError } from "@gradus/domain/StoreError"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import { cpSync, existsSync, rmSync } from "node:fs"
import { join } from "node:path"
import { shownAddress } from "../../src/redis/Address.ts"
import { checked, Generation } from "../../src/redis/Generation.ts"
import { connection } from "../../src/redis/RedisStore.ts"
import { directory, redisServer, servers } from "../stores.ts"

/** Long enough for a first connection on a machine that is busy. */
const DEADLINE = 1500

const connect = (url: string) => Layer.build(Layer.fresh(connection({ url, deadline: DEADLINE })))
const redisOf = Effect.map((context: Context.Context<Redis.Redis | Generation>) => Context.get(context, Redis.Redis))
const generationOf = Effect.map((context: Context.Context<Redis.Redis | Generation>) =>
  Context.get(context, Generation)
)

/** The failure of an effect, and how long it took. */
const timedFailure = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const start = yield* Clock.currentTimeMillis
    const error = yield* Effect.flip(effect)
    return { error, millis: (yield* Clock.currentTimeMillis) - start }
  })

const causeOf = (error: Redis.RedisError): StoreError => error.cause as StoreError

/** A promise of a script of ours: the store's number goes up. */
const RAISE = checked("raise() return answer('ok')")

for (const binary of servers)
  describe(`a connection to Redis ${binary.version}`, () => {
    it.live("a server that hangs becomes a typed error at no more than 1.1 times the deadline", () =>
      Effect.gen(function* () {
        const server = yield* redisServer({ binary })
        const deadline = 2000
        const context = yield* Layer.build(Layer.fresh(connection({ url: server.url, deadline })))
        const redis = yield* redisOf(Effect.succeed(context))
        const generation = yield* generationOf(Effect.succeed(context))
        server.pause()
        yield* Effect.addFinalizer(() => Effect.sync(server.unpause))
        const asked = yield* Effect.forkChild(timedFailure(redis.send("GET", "a")))
        // a machine that is busy elsewhere lets a plain sleep wait as well
        const slept = yield* Effect.forkChild(timedFailure(Effect.andThen(Effect.sleep(deadline), Effect.fail("late"))))
        const { error, millis } = yield* timedFailure(generation.check)
        assert.strictEqual(error._tag, "StoreDeadline")
        assert.include(error.message, `redis://127.0.0.1:${server.port} did not answer`)
        const effects = yield* Fiber.join(asked)
        assert.strictEqual(causeOf(effects.error)._tag, "StoreDeadline")
        const late = Math.max(0, (yield* Fiber.join(slept)).millis - deadline)
        for (const time of [millis, effects.millis]) assert.isAtMost(time, 1.1 * deadline + late)
      })
    )

    it.live("an answer is not held up where nothing can be interrupted, as in the commit of a journal", () =>
      Effect.gen(function* () {
        const server = yield* redisServer({ binary })
        const context = yield* Layer.build(Layer.fresh(connection({ url: server.url, deadline: "20 seconds" })))
        const generation = yield* generationOf(Effect.succeed(context))
        const start = yield* Clock.currentTimeMillis
        for (let i = 0; i < 20; i++) yield* Effect.uninterruptible(generation.check)
        assert.isBelow((yield* Clock.currentTimeMillis) - start, 5000)
      })
    )

    it.live("no server at all is said at once, with the network's own reason", () =>
      Effect.gen(function* () {
        const server = yield* redisServer({ binary })
        yield* Effect.promise(server.kill)
        const { error, millis } = yield* timedFailure(Effect.scoped(connect(server.url)))
        assert.strictEqual(error._tag, "StoreUnreachable")
        assert.include(error.message, "ECONNREFUSED")
        assert.isBelow(millis, 5000)
      })
    )

    it.live("a server that is killed in the middle of calls and comes back from its file answers them", () =>
      Effect.gen(function* () {
        const server = yield* redisServer({ binary })
        const redis = yield* redisOf(Layer.build(Layer.fresh(connection({ url: server.url, deadline: "20 seconds" }))))
        yield* redis.send("SET", "before", "1")
        yield* Effect.promise(server.kill)
        const calls = yield* Effect.forEach([1, 2, 3], (n) => Effect.forkChild(redis.send("SET", `during${n}`, `${n}`)))
        yield* Effect.promise(server.restart)
        for (const call of calls) yield* Fiber.join(call)
        assert.strictEqual(yield* redis.send("GET", "before"), "1")
        assert.strictEqual(yield* redis.send("GET", "during3"), "3")
      })
    )

    it.live("a server without memory is waited for; without any by the deadline it is a typed error", () =>
      Effect.gen(function* () {
        const server = yield* redisServer({ binary })
        const context = yield* connect(server.url)
        const redis = yield* redisOf(Effect.succeed(context))
        const generation = yield* generationOf(Effect.succeed(context))
        yield* redis.send("SET", "big", "x".repeat(3_000_000))
        yield* Effect.promise(() => server.command("CONFIG", "SET", "maxmemory", "2mb"))
        const { error, millis } = yield* timedFailure(redis.send("SET", "more", "1"))
        const full = causeOf(error)
        assert.strictEqual(full._tag, "StoreFull")
        assert.include(full.message, "maxmemory")
        assert.isAtLeast(millis, DEADLINE)
        const ours = yield* timedFailure(generation.script("a promise", RAISE, [], []))
        assert.strictEqual(ours.error._tag, "StoreFull")
        const waiting = yield* Effect.forkChild(redis.send("SET", "later", "1"), { startImmediately: true })
        yield* Effect.promise(() => server.command("CONFIG", "SET", "maxmemory", "0"))
        assert.strictEqual(yield* Fiber.join(waiting), "OK")
      })
    )

    it.live("a FLUSHALL is noticed in the next operation, and by everybody who knew the store", () =>
      Effect.gen(function* () {
        const server = yield* redisServer({ binary })
        const one = yield* generationOf(connect(server.url))
        const two = yield* generationOf(connect(server.url))
        yield* one.script("a promise", RAISE, [], [])
        yield* two.check
        yield* Effect.promise(() => server.command("FLUSHALL"))
        const empty = yield* Effect.flip(one.check)
        assert.strictEqual(empty._tag, "StoreWentBack")
        assert.include(empty.message, "it is empty (flushed, or another server)")
        // whoever comes now begins the store anew; those who knew the old one are still refused
        const three = yield* generationOf(connect(server.url))
        yield* three.script("a promise", RAISE, [], [])
        assert.include((yield* Effect.flip(two.check)).message, "another identity")
        yield* three.check
      })
    )

    it.live("an older copy of its data is noticed in the next operation", () =>
      Effect.gen(function* () {
        const server = yield* redisServer({ binary })
        const aside = yield* directory
        const context = yield* Layer.build(Layer.fresh(connection({ url: server.url, deadline: "10 seconds" })))
        const generation = yield* generationOf(Effect.succeed(context))
        yield* generation.script("a promise", RAISE, [], [])
        yield* Effect.promise(server.kill)
        cpSync(server.directory, aside, { recursive: true })
        yield* Effect.promise(server.restart)
        yield* generation.script("a promise", RAISE, [], [])
        yield* generation.check
        yield* Effect.promise(server.kill)
        rmSync(server.directory, { recursive: true })
        cpSync(aside, server.directory, { recursive: true })
        // 6.2 keeps one file, 7 a folder: the copy is of whatever there was
        const single = existsSync(join(server.directory, "appendonly.aof"))
        assert.strictEqual(single, binary.version.startsWith("6."))
        yield* Effect.promise(server.restart)
        const behind = yield* Effect.flip(generation.check)
        assert.strictEqual(behind._tag, "StoreWentBack")
        assert.include(behind.message, "it is at 1 and was at 2 (an older copy)")
      })
    )

    it.live("a server that evicts or keeps no append-only file is refused at the start, with its setting", () =>
      Effect.gen(function* () {
        const evicting = yield* redisServer({ binary, settings: { "maxmemory-policy": "allkeys-lru" } })
        const first = yield* Effect.flip(Effect.scoped(connect(evicting.url)))
        assert.deepInclude(first, {
          _tag: "StoreUnsafe",
          setting: "maxmemory-policy",
          found: "allkeys-lru",
          wanted: "noeviction"
        })
        const forgetting = yield* redisServer({ binary, settings: { appendonly: "no" } })
        const second = yield* Effect.flip(Effect.scoped(connect(forgetting.url)))
        assert.deepInclude(second, { _tag: "StoreUnsafe", setting: "appendonly", found: "no", wanted: "yes" })
      })
    )
  })

describe("the address of a Redis", () => {
  it("is shown without its user and password", () => {
    assert.strictEqual(shownAddress("redis://me:secret@10.0.0.1:6379/3?x=secret"), "redis://10.0.0.1:6379/3")
    assert.strictEqual(shownAddress("rediss://:secret@cache.example.com"), "rediss://cache.example.com")
    assert.notInclude(shownAddress("not an address secret"), "secret")
  })

  it.live("is all that an error says of it", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const url = `redis://me:hunter2@127.0.0.1:${server.port}`
      const error = yield* Effect.flip(Effect.scoped(connect(url)))
      assert.notInclude(JSON.stringify(error) + error.message, "hunter2")
    })
  )
})
