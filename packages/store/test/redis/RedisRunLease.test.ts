import { RunLease } from "@gradus/domain/RunLease"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { basename } from "node:path"
import * as RedisRunLease from "../../src/redis/RedisRunLease.ts"
import { connection } from "../../src/redis/RedisStore.ts"
import { nobody, runLeaseContract } from "../RunLeaseContract.ts"
import { directory, redisServer, servers } from "../stores.ts"

const lease = (url: string, options: RedisRunLease.RedisLeaseOptions = {}) =>
  Layer.fresh(RedisRunLease.layer(options).pipe(Layer.provide(connection({ url, deadline: "2 seconds" }))))

/** A client with a connection of its own that lives as long as the test. */
const client = (url: string, options: RedisRunLease.RedisLeaseOptions = {}) =>
  Effect.flatMap(Layer.build(lease(url, options)), (context) => Effect.provide(RunLease, context))

for (const binary of servers)
  runLeaseContract(
    `Redis ${binary.version}`,
    Effect.map(
      redisServer({ binary }),
      ({ url }) =>
        () =>
          lease(url)
    )
  )

for (const binary of servers)
  describe(`a run lease that runs out: Redis ${binary.version}`, () => {
    it.live("a holder whose lease ran out and was taken is refused at its next verify, and told without asking", () =>
      Effect.gen(function* () {
        const run = yield* directory
        const server = yield* redisServer({ binary })
        const one = yield* client(server.url, { ttl: "60 seconds" })
        const two = yield* client(server.url, { ttl: "1 second" })
        const first = yield* one.acquire(run, nobody)
        // what the passing of a minute does while its holder is stopped
        yield* Effect.promise(() => server.command("DEL", `gradus:lease:${basename(run)}:held`))
        const second = yield* two.acquire(run, nobody)
        assert.strictEqual(second.record.number, 2)
        const lost = yield* Effect.flip(first.verify)
        assert.deepInclude(lost, { _tag: "RunLeaseLost", directory: run, number: 1 })
        assert.strictEqual((yield* Effect.flip(first.lost))._tag, "RunLeaseLost")
        yield* second.verify
      })
    )

    it.live("a lease that is renewed outlives its time, and one whose holder is gone does not", () =>
      Effect.gen(function* () {
        const run = yield* directory
        const server = yield* redisServer({ binary })
        const two = yield* client(server.url)
        const waits = Effect.gen(function* () {
          const one = yield* client(server.url, { ttl: "300 millis" })
          yield* one.acquire(run, nobody)
          yield* Effect.sleep("1 second")
          return yield* Effect.flip(Effect.scoped(two.acquire(run, nobody)))
        })
        assert.strictEqual((yield* Effect.scoped(waits))._tag, "RunOwned")
        assert.strictEqual((yield* two.acquire(run, nobody)).record.number, 2)
      })
    )

    it.live("a lease that ran out while nobody else came goes on under its number", () =>
      Effect.gen(function* () {
        const run = yield* directory
        const server = yield* redisServer({ binary })
        const one = yield* client(server.url, { ttl: "60 seconds" })
        const hold = yield* one.acquire(run, nobody)
        yield* Effect.promise(() => server.command("DEL", `gradus:lease:${basename(run)}:held`))
        yield* hold.verify
        const two = yield* client(server.url)
        assert.strictEqual((yield* Effect.flip(two.acquire(run, nobody)))._tag, "RunOwned")
      })
    )

    it.live("a server that is killed by -9 and comes back from its file knows who holds what", () =>
      Effect.gen(function* () {
        const run = yield* directory
        const server = yield* redisServer({ binary })
        const one = yield* client(server.url)
        const two = yield* client(server.url)
        const hold = yield* one.acquire(run, nobody)
        yield* Effect.promise(server.kill)
        const verifying = yield* Effect.forkChild(hold.verify)
        yield* Effect.promise(server.restart)
        yield* Fiber.join(verifying)
        assert.strictEqual((yield* Effect.flip(two.acquire(run, nobody)))._tag, "RunOwned")
      })
    )

    it.live("a client that was connected before the last owner came takes over from it", () =>
      Effect.gen(function* () {
        const run = yield* directory
        const server = yield* redisServer({ binary })
        const early = yield* client(server.url)
        const one = yield* client(server.url)
        const { record } = yield* Effect.scoped(one.acquire(run, nobody))
        assert.strictEqual((yield* early.acquire(run, { number: 1, record })).record.number, 2)
      })
    )

    it.live("a store that is behind what the last owner saw is refused, and named", () =>
      Effect.gen(function* () {
        const run = yield* directory
        const server = yield* redisServer({ binary })
        const one = yield* client(server.url)
        const { record } = yield* Effect.scoped(one.acquire(run, nobody))
        const { generation } = record
        if (generation === undefined) throw new Error("a lease of Redis says how far the store was")
        const ahead = { ...record, generation: { ...generation, sequence: generation.sequence + 1 } }
        const refused = yield* Effect.flip(one.acquire(run, { number: 1, record: ahead }))
        assert.strictEqual(refused._tag, "StoreWentBack")
        assert.include(refused.message, `it is at ${generation.sequence} and was at ${generation.sequence + 1}`)
        yield* one.acquire(run, { number: 1, record })
      })
    )

    it.live(
      "another server takes no run from an owner of this one, whatever its address, and one server is one under all of them",
      () =>
        Effect.gen(function* () {
          const run = yield* directory
          const server = yield* redisServer({ binary })
          const other = yield* redisServer({ binary })
          const byName = server.url.replace("127.0.0.1", "localhost")
          const one = yield* client(server.url)
          const { record } = yield* Effect.scoped(one.acquire(run, nobody))
          const elsewhere = yield* client(other.url)
          const refused = yield* Effect.flip(elsewhere.acquire(run, { number: 1, record }))
          assert.deepInclude(refused, { _tag: "RunOwned", directory: run })
          assert.include(
            refused.message,
            `${record.owner} through ${record.store}, which is another Redis than ${other.url}`
          )
          // who left in order left no record, and may be followed through any store
          assert.strictEqual((yield* elsewhere.acquire(run, { number: 1, record: undefined })).record.number, 2)
          const again = yield* client(byName)
          assert.strictEqual((yield* Effect.scoped(again.acquire(run, { number: 2, record }))).record.number, 3)
          // flushed: another life of the store, also under another name
          yield* Effect.promise(() => server.command("FLUSHALL"))
          const flushed = yield* client(byName)
          assert.strictEqual((yield* Effect.flip(flushed.acquire(run, { number: 3, record })))._tag, "RunOwned")
          const sameName = yield* client(server.url)
          assert.strictEqual((yield* Effect.flip(sameName.acquire(run, { number: 3, record })))._tag, "StoreWentBack")
        })
    )

    it.live("who gave up asking for a lease does not get it when the server is back", () =>
      Effect.gen(function* () {
        const run = yield* directory
        const server = yield* redisServer({ binary })
        const hasty = yield* Effect.provide(
          RunLease,
          yield* Layer.build(
            Layer.fresh(
              RedisRunLease.layer().pipe(Layer.provide(connection({ url: server.url, deadline: "300 millis" })))
            )
          )
        )
        yield* Effect.promise(server.kill)
        const started = performance.now()
        assert.strictEqual((yield* Effect.flip(hasty.acquire(run, nobody)))._tag, "StoreDeadline")
        // giving it back is not waited for
        assert.isBelow(performance.now() - started, 600)
        yield* Effect.promise(server.restart)
        const two = yield* client(server.url)
        // both requests of the first one are sent as soon as it is connected again
        yield* Effect.gen(function* () {
          const number = yield* Effect.promise(() => server.command("HGET", `gradus:lease:${basename(run)}`, "number"))
          if (!number.endsWith("\n1")) return yield* Effect.fail("not sent yet")
        }).pipe(Effect.retry({ times: 100, schedule: Schedule.spaced("50 millis") }))
        yield* Effect.sleep("200 millis")
        assert.strictEqual((yield* two.acquire(run, nobody)).record.number, 2)
      })
    )
  })
