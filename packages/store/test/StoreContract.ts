/** What every store does, whatever keeps it: queue, board, live events, values, cache, rate limits. */
import { type Job, jobId, type JobRecord } from "@gradus/domain/Job"
import { LiveEvents } from "@gradus/domain/LiveEvents"
import { JobBoard, WorkQueue } from "@gradus/domain/WorkQueue"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Persistable from "effect/persistence/Persistable"
import * as PersistedCache from "effect/persistence/PersistedCache"
import type * as Persistence from "effect/persistence/Persistence"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { QueueTimes } from "../src/PersistedWorkQueue.ts"

type Services =
  | WorkQueue
  | JobBoard
  | LiveEvents
  | KeyValueStore.KeyValueStore
  | Persistence.Persistence
  | RateLimiter.RateLimiter

/** Opens a store: every call of what it gives is a client of its own. */
export type OpenStore<E> = Effect.Effect<(times: QueueTimes) => Layer.Layer<Services, E>, never, Scope.Scope>

export const job = (run: string): Job => ({
  _tag: "run",
  format: 1,
  run,
  written: "version: 1\nname: a \u{1F600} manifest\n",
  base: "/somewhere",
  resolved: { digest: "d", manifest: { train: { steps: 3, rates: [0.1, null] } }, provenance: [] }
})

const record = (
  name: string,
  fence: number,
  state: JobRecord["state"] = "running",
  worker: string | undefined = "host, process 1"
): JobRecord => ({
  format: 1,
  name,
  attempt: 1,
  state,
  fence,
  ...(worker === "" ? {} : { worker }),
  changed: 0
})

class Lookup extends Persistable.Class<{ payload: { id: string } }>()("Lookup", {
  primaryKey: ({ id }) => id,
  success: Schema.Struct({ value: Schema.Int }),
  error: Schema.String
}) {}

const quick: QueueTimes = { lock: "600 millis", poll: "20 millis" }

export const storeContract = <E>(name: string, open: OpenStore<E>): void => {
  /** Two clients of one store that live as long as the test. */
  const two = Effect.gen(function* () {
    const layer = yield* open
    const client = Layer.build(Layer.fresh(layer(quick)))
    return [yield* client, yield* client] as const
  })
  const test = <A>(
    what: string,
    body: (
      one: <A1, E1>(effect: Effect.Effect<A1, E1, Services>) => Effect.Effect<A1, E1>,
      other: <A1, E1>(effect: Effect.Effect<A1, E1, Services>) => Effect.Effect<A1, E1>
    ) => Effect.Effect<A, unknown, Scope.Scope>
  ) =>
    it.live(what, () =>
      Effect.gen(function* () {
        const [first, second] = yield* two
        yield* body(
          (effect) => Effect.provide(effect, first),
          (effect) => Effect.provide(effect, second)
        )
      })
    )

  describe(`a work queue: ${name}`, () => {
    test("a job comes out as it went in, once, whoever takes it; an id that ended is known for ever", (one, other) =>
      Effect.gen(function* () {
        const id = jobId({ name: "a", attempt: 1 })
        for (let i = 0; i < 3; i++) yield* one(WorkQueue.use((queue) => queue.offer(id, job("a"))))
        const taken = yield* other(WorkQueue.use((queue) => queue.take((job, at) => Effect.succeed({ job, at }))))
        assert.deepStrictEqual(taken, { job: job("a"), at: { id: "a#1", delivery: 1 } })
        yield* one(WorkQueue.use((queue) => queue.offer(id, job("a"))))
        yield* one(WorkQueue.use((queue) => queue.offer(jobId({ name: "a", attempt: 2 }), job("a"))))
        const next = yield* one(WorkQueue.use((queue) => queue.take((_, { id }) => Effect.succeed(id))))
        assert.strictEqual(next, "a#2")
        const none = yield* Effect.timeoutOption(
          other(WorkQueue.use((queue) => queue.take(() => Effect.void))),
          "300 millis"
        )
        assert.strictEqual(none._tag, "None")
      }))

    test("what the work fails with comes out as it is, and the job comes back with its next delivery", (one, other) =>
      Effect.gen(function* () {
        yield* one(WorkQueue.use((queue) => queue.offer("b#1", job("b"))))
        const failure = yield* Effect.flip(one(WorkQueue.use((queue) => queue.take(() => Effect.fail("not today")))))
        assert.strictEqual(failure, "not today")
        const at = yield* other(WorkQueue.use((queue) => queue.take((_, at) => Effect.succeed(at))))
        assert.deepStrictEqual(at, { id: "b#1", delivery: 2 })
      }))

    test("a worker that leaves gives its job back at once, and that is no delivery", (one, other) =>
      Effect.gen(function* () {
        yield* one(WorkQueue.use((queue) => queue.offer("c#1", job("c"))))
        const left = yield* Effect.timeoutOption(
          one(WorkQueue.use((queue) => queue.take(() => Effect.never))),
          "400 millis"
        )
        assert.strictEqual(left._tag, "None")
        const at = yield* other(WorkQueue.use((queue) => queue.take((_, at) => Effect.succeed(at))))
        assert.deepStrictEqual(at, { id: "c#1", delivery: 1 })
      }))

    test("a job that takes longer than its lock stays with the worker that is heard of", (one, other) =>
      Effect.gen(function* () {
        yield* one(WorkQueue.use((queue) => queue.offer("d#1", job("d"))))
        const begun = yield* Deferred.make<void>()
        const work = Effect.andThen(Deferred.succeed(begun, undefined), Effect.as(Effect.sleep("1500 millis"), "mine"))
        const working = yield* Effect.forkChild(one(WorkQueue.use((queue) => queue.take(() => work))))
        yield* Deferred.await(begun)
        const stolen = yield* Effect.timeoutOption(
          other(WorkQueue.use((queue) => queue.take(() => Effect.succeed("stolen")))),
          "1400 millis"
        )
        assert.strictEqual(stolen._tag, "None")
        assert.strictEqual(yield* Fiber.join(working), "mine")
      }))

    test("fifty jobs and eight workers: each job is done once", (one, other) =>
      Effect.gen(function* () {
        const ids = Array.from({ length: 50 }, (_, i) => `e${i}#1`)
        yield* Effect.forEach(ids, (id) => one(WorkQueue.use((queue) => queue.offer(id, job("e")))), { concurrency: 8 })
        const done: Array<string> = []
        const worker = (client: typeof one) =>
          client(WorkQueue.use((queue) => queue.take((_, { id }) => Effect.sync(() => void done.push(id))))).pipe(
            Effect.forever
          )
        const workers = yield* Effect.forEach([one, other, one, other, one, other, one, other], (client) =>
          Effect.forkChild(worker(client))
        )
        yield* Effect.sleep("10 millis").pipe(Effect.repeat({ until: () => done.length >= ids.length }))
        yield* Effect.sleep("200 millis")
        yield* Effect.forEach(workers, Fiber.interrupt)
        assert.deepStrictEqual(done.toSorted(), ids.toSorted())
      }))
  })

  describe(`a job board: ${name}`, () => {
    test("shows what was written last, to everybody, in the order of names", (one, other) =>
      Effect.gen(function* () {
        yield* one(JobBoard.use((board) => board.put(record("b", 1))))
        yield* one(JobBoard.use((board) => board.put(record("a", 1))))
        yield* one(JobBoard.use((board) => board.put(record("b", 1, "done"))))
        assert.deepStrictEqual(yield* other(JobBoard.use((board) => board.all)), [
          record("a", 1),
          record("b", 1, "done")
        ])
        assert.deepStrictEqual(yield* other(JobBoard.use((board) => board.get("b"))), record("b", 1, "done"))
        assert.isUndefined(yield* other(JobBoard.use((board) => board.get("c"))))
      }))

    test("an owner with a lower fencing number changes nothing", (one, other) =>
      Effect.gen(function* () {
        yield* one(JobBoard.use((board) => board.put(record("a", 2))))
        const refused = yield* Effect.flip(other(JobBoard.use((board) => board.put(record("a", 1, "failed")))))
        assert.deepInclude(refused, { _tag: "JobRecordStale", name: "a", fence: 1 })
        assert.deepStrictEqual(yield* other(JobBoard.use((board) => board.get("a"))), record("a", 2))
      }))

    test("a worker without a lease of its own changes nothing of another one's under the number that it found", (one, other) =>
      Effect.gen(function* () {
        const put = (written: JobRecord) => JobBoard.use((board) => board.put(written))
        const own = record("a", 2)
        for (const state of ["running", "done", "failed"] as const) {
          yield* one(put({ ...own, state }))
          for (const claimed of ["queued", "running", "done", "failed"] as const) {
            const refused = yield* Effect.flip(other(put(record("a", 2, claimed, "host, process 2"))))
            assert.deepInclude(refused, { _tag: "JobRecordStale", name: "a", fence: 2 })
          }
          assert.deepStrictEqual(yield* other(JobBoard.use((board) => board.get("a"))), { ...own, state })
        }
        // a lease of its own is another matter
        yield* other(put(record("a", 3, "running", "host, process 2")))
      }))

    test("a job that waits is anybody's, and one that ended is asked for again by who is no worker", (one, other) =>
      Effect.gen(function* () {
        const put = (written: JobRecord) => JobBoard.use((board) => board.put(written))
        yield* one(put(record("a", 2)))
        const early = yield* Effect.flip(other(put(record("a", 2, "queued", ""))))
        assert.strictEqual(early._tag, "JobRecordStale")
        yield* one(put(record("a", 2, "queued")))
        yield* other(put(record("a", 2, "failed", "host, process 2")))
        yield* one(put(record("a", 2, "queued", "")))
        yield* other(put(record("a", 2, "failed", "host, process 2")))
        const now = yield* one(JobBoard.use((board) => board.get("a")))
        assert.deepInclude(now, { state: "failed", worker: "host, process 2" })
      }))
  })

  describe(`live events: ${name}`, () => {
    const event = (done: number) => ({ stage: "train", done, total: 3, unit: "steps", note: `reward ${done}` })

    test("a listener hears what was, then what comes, in order, and only of its run", (one, other) =>
      Effect.gen(function* () {
        yield* one(LiveEvents.use((events) => events.publish("a", event(1))))
        yield* one(LiveEvents.use((events) => events.publish("b", event(9))))
        const heard = yield* Effect.forkChild(
          other(LiveEvents.use((events) => Stream.runCollect(Stream.take(events.follow("a"), 3))))
        )
        yield* one(LiveEvents.use((events) => events.publish("a", event(2))))
        yield* Effect.sleep("200 millis")
        yield* one(LiveEvents.use((events) => events.publish("a", event(3))))
        assert.deepStrictEqual(yield* Fiber.join(heard), [event(1), event(2), event(3)])
      }))
  })

  describe(`values: ${name}`, () => {
    test("texts and bytes come back as they were, for everybody", (one, other) =>
      Effect.gen(function* () {
        const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
        yield* one(KeyValueStore.KeyValueStore.use((values) => values.set("text", "grün \u{1F600}")))
        yield* one(KeyValueStore.KeyValueStore.use((values) => values.set("bytes", bytes)))
        const text = yield* other(KeyValueStore.KeyValueStore.use((values) => values.get("text")))
        assert.strictEqual(text, "grün \u{1F600}")
        const read = yield* other(KeyValueStore.KeyValueStore.use((values) => values.getUint8Array("bytes")))
        assert.deepStrictEqual(Array.from(read ?? []), Array.from(bytes))
        assert.strictEqual(yield* other(KeyValueStore.KeyValueStore.use((values) => values.size)), 2)
        yield* one(KeyValueStore.KeyValueStore.use((values) => values.remove("text")))
        assert.isUndefined(yield* other(KeyValueStore.KeyValueStore.use((values) => values.get("text"))))
      }))
  })

  describe(`a cache: ${name}`, () => {
    test("what one client looked up the other does not look up again; a failure is looked up again when its time is over", (one, other) =>
      Effect.gen(function* () {
        const asked: Array<string> = []
        const cache = PersistedCache.make(
          ({ id }: Lookup) =>
            Effect.suspend(() => {
              asked.push(id)
              return id === "bad" && asked.length < 4 ? Effect.fail("no") : Effect.succeed({ value: asked.length })
            }),
          { storeId: "lookup", timeToLive: (exit) => (Exit.isSuccess(exit) ? "1 hour" : "1 millis") }
        )
        const get = (id: string) => Effect.scoped(Effect.flatMap(cache, (found) => found.get(new Lookup({ id }))))
        assert.deepStrictEqual(yield* one(get("a")), { value: 1 })
        assert.deepStrictEqual(yield* other(get("a")), { value: 1 })
        assert.deepStrictEqual(asked, ["a"])
        assert.strictEqual(yield* Effect.flip(one(get("bad"))), "no")
        yield* Effect.sleep("50 millis")
        assert.strictEqual(yield* Effect.flip(one(get("bad"))), "no")
        assert.deepStrictEqual(asked, ["a", "bad", "bad"])
      }))
  })

  describe(`rate limits: ${name}`, () => {
    test("a window lets its number through and says when the next one may come", (one) =>
      Effect.gen(function* () {
        const ask = one(
          RateLimiter.RateLimiter.use((limiter) =>
            limiter.consume({
              key: "judge",
              limit: 3,
              window: "1 minute",
              algorithm: "fixed-window",
              onExceeded: "fail"
            })
          )
        )
        for (let i = 0; i < 3; i++) yield* ask
        const refused = yield* Effect.flip(ask)
        assert.include(JSON.stringify(refused), "RateLimitExceeded")
      }))
  })
}
