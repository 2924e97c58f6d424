import { assert, describe, it } from "@effect/vitest"
import { type SampleServer, type SampleServerOptions, startSampleServer } from "@gradus/testing/SampleServer"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { createServer } from "node:net"
import { make } from "../src/SamplePool.ts"
import type { SamplePoolOptions, SampleTask } from "../src/SampleTasks.ts"
import { httpWire } from "./HttpWire.ts"

const serving = (options: Partial<SampleServerOptions> = {}, port = 0) =>
  Effect.acquireRelease(
    Effect.promise(() =>
      startSampleServer({ text: (question, serial) => `${question}#${serial}`, ...options }, { keep: true, port })
    ),
    (server) => Effect.promise(server.close)
  )

/** An address at which nobody listens. */
const deadPort = Effect.promise(
  () =>
    new Promise<number>((resolve) => {
      const server = createServer().listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        server.close(() => resolve(port))
      })
    })
)

/** Works off `questions` x `samples`; gives the texts by question and sample, and the reasons of what could not be had. */
const worked = Effect.fnUntraced(function* (
  endpoints: ReadonlyArray<string>,
  questions: number,
  samples: number,
  options: Partial<SamplePoolOptions> = {}
) {
  const open = Array.from({ length: questions }, () => Array.from({ length: samples }, (_, k) => k))
  const texts = open.map((): Array<string | undefined> => Array.from({ length: samples }, () => undefined))
  const failures: Array<string> = []
  const servers = new Map<string, number>()
  let settled = 0
  const pool = yield* make(
    {
      take: (limit): SampleTask | undefined => {
        const question = open.findIndex((ks) => ks.length > 0)
        return question < 0 ? undefined : { question, text: `q${question}`, ks: open[question]?.splice(0, limit) ?? [] }
      },
      giveBack: (question, ks) => open[question]?.unshift(...ks),
      available: () => open.filter((ks) => ks.length > 0).length,
      finished: () => settled === questions * samples
    },
    {
      endpoints,
      key: undefined,
      spec: { api: "chat", model: "m", temperature: 1, max_tokens: 16 },
      concurrency: 4,
      choices: samples,
      deadlineMillis: 5000,
      attempts: 3,
      patienceMillis: 3000,
      answered: (task, given, server) =>
        Effect.sync(() => {
          for (const [i, { text }] of given.texts.slice(0, task.ks.length).entries()) {
            const row = texts[task.question]
            if (row !== undefined) row[task.ks[i] ?? 0] = text
            settled++
          }
          servers.set(server, (servers.get(server) ?? 0) + 1)
        }),
      failed: (task, reason) =>
        Effect.sync(() => {
          failures.push(`${task.question}: ${reason}`)
          settled += task.ks.length
        }),
      ...options
    }
  )
  const exit = yield* Effect.result(pool.run)
  return { exit, texts, failures, servers, readings: pool.readings() }
})

const whole = (questions: number, samples: number) =>
  Array.from({ length: questions }, (_, q) => Array.from({ length: samples }, (_each, k) => `q${q}#${k}`))
const live = (name: string, test: () => Effect.Effect<void, unknown, any>) =>
  it.live(name, () => Effect.scoped(test()).pipe(Effect.provide(httpWire)) as Effect.Effect<void, unknown>)
const total = (server: SampleServer) => [...server.asked.values()].reduce((sum, count) => sum + count, 0)

describe("samples", () => {
  live("of a question come in one request where the server gives n, and never more requests at once than places", () =>
    Effect.gen(function* () {
      const server = yield* serving({ delayMillis: () => 5 })
      const { texts } = yield* worked([server.endpoint], 20, 8, { key: Redacted.make("secret") })
      assert.deepStrictEqual(texts, whole(20, 8))
      assert.strictEqual(server.counts().requests, 20)
      assert.strictEqual(server.counts().peak, 4)
      assert.isTrue(server.received.every(({ authorization, n }) => n === 8 && authorization === "Bearer secret"))
    })
  )

  live("that lack are asked for again: a server with one choice, and one that gives at most three", () =>
    Effect.gen(function* () {
      const one = yield* serving({ most: 1 })
      assert.deepStrictEqual((yield* worked([one.endpoint], 2, 8, { concurrency: 1 })).texts, whole(2, 8))
      assert.deepStrictEqual(
        one.received.map(({ n }) => n),
        [8, ...Array.from({ length: 15 }, () => 1)]
      )
      const three = yield* serving({ most: 3 })
      assert.deepStrictEqual((yield* worked([three.endpoint], 1, 8, { concurrency: 1 })).texts, whole(1, 8))
      assert.deepStrictEqual(
        three.received.map(({ n }) => n),
        [8, 5, 2]
      )
    })
  )

  live("are asked for one by one where a server refuses n", () =>
    Effect.gen(function* () {
      const server = yield* serving({
        fault: ({ n }) => (n > 1 ? { kind: "status", status: 400, body: "n is not supported" } : undefined)
      })
      const { failures, texts } = yield* worked([server.endpoint], 3, 4, { concurrency: 1 })
      assert.deepStrictEqual(failures, [])
      assert.deepStrictEqual(texts, whole(3, 4))
      assert.strictEqual(server.counts().requests, 13)
    })
  )
})

describe("the form of requests", () => {
  live("follows the server: one that knows only max_completion_tokens is asked so", () =>
    Effect.gen(function* () {
      const server = yield* serving({
        fault: ({ body }) =>
          "max_tokens" in body
            ? { kind: "status", status: 400, body: "Unsupported parameter: use 'max_completion_tokens' instead." }
            : undefined
      })
      const { failures, texts } = yield* worked([server.endpoint], 3, 4, { concurrency: 1 })
      assert.deepStrictEqual(failures, [])
      assert.deepStrictEqual(texts, whole(3, 4))
      assert.deepStrictEqual(
        server.received.map(({ body, n }) => [n, body["max_completion_tokens"]]),
        [
          [4, undefined],
          [4, 16],
          [4, 16],
          [4, 16]
        ]
      )
    })
  )

  live("goes back to many samples a request when one alone is refused too", () =>
    Effect.gen(function* () {
      const server = yield* serving({
        fault: ({ question }) => (question === "q0" ? { kind: "status", status: 400, body: "too long" } : undefined)
      })
      const { failures, texts } = yield* worked([server.endpoint], 4, 2, { concurrency: 1 })
      assert.deepStrictEqual(failures, ["0: status 400: too long", "0: status 400: too long"])
      assert.deepStrictEqual(texts.slice(1), whole(4, 2).slice(1))
      assert.strictEqual(server.received.at(-1)?.n, 2)
    })
  )
})

describe("several servers", () => {
  live("share the work, and one that nobody listens at is left out", () =>
    Effect.gen(function* () {
      const [a, b] = [yield* serving({ delayMillis: () => 10 }), yield* serving({ delayMillis: () => 10 })]
      const dead = `http://127.0.0.1:${yield* deadPort}/v1`
      const { failures, readings, texts } = yield* worked([a.endpoint, dead, b.endpoint], 60, 2)
      assert.deepStrictEqual(failures, [])
      assert.isTrue(texts.flat().every((text) => text !== undefined))
      assert.strictEqual(total(a) + total(b), 120)
      assert.isAtLeast(total(a), 30)
      assert.isAtLeast(total(b), 30)
      assert.deepStrictEqual(
        readings.map(({ state }) => state),
        ["ok", "down", "ok"]
      )
      assert.isAtMost(readings[1]?.requests ?? 99, 10)
    })
  )

  live("go on when one dies in the middle: what it was asked is asked of the other", () =>
    Effect.gen(function* () {
      const a = yield* serving({
        delayMillis: () => 5,
        // one answer for each of its places: fewer than show a server to be slow, so it is asked again whatever the load
        fault: (_request, index) => (index < 4 ? undefined : { kind: "reset" })
      })
      const b = yield* serving({ delayMillis: () => 5 })
      const { failures, texts } = yield* worked([a.endpoint, b.endpoint], 80, 1)
      assert.deepStrictEqual(failures, [])
      assert.isTrue(texts.flat().every((text) => text !== undefined))
      assert.isAbove(a.counts().requests, 4)
      assert.strictEqual(total(a), 4)
      assert.strictEqual(total(b), 76)
    })
  )

  live("leave a slow one out, but for one request at a time", () =>
    Effect.gen(function* () {
      const fast = yield* serving({ delayMillis: () => 4 })
      const slow = yield* serving({ delayMillis: () => 500 })
      const { readings } = yield* worked([fast.endpoint, slow.endpoint], 1000, 1)
      assert.strictEqual(readings[1]?.state, "slow")
      // the first eight answers show it, four at a time; then one at a time
      assert.isAtLeast(total(slow), 8)
      assert.isAtMost(slow.counts().requests, 8 + 4 + 20)
    })
  )

  live("take one up again that comes back", () =>
    Effect.gen(function* () {
      const steady = yield* serving({ delayMillis: () => 40 })
      const back = yield* serving({
        delayMillis: () => 40,
        fault: (_request, index) => (index < 8 ? { kind: "reset" } : undefined)
      })
      const { failures, readings } = yield* worked([steady.endpoint, back.endpoint], 200, 1)
      assert.deepStrictEqual(failures, [])
      assert.isAbove(total(back), 10)
      assert.deepStrictEqual(
        readings.map(({ state }) => state),
        ["ok", "ok"]
      )
    })
  )
})

describe("a failure", () => {
  live("that passes is asked again: errors, nonsense, a broken connection, a request that is never answered", () =>
    Effect.gen(function* () {
      const faults = [
        { kind: "status", status: 500 },
        { kind: "nonsense" },
        { kind: "reset" },
        { kind: "hang" }
      ] as const
      const server = yield* serving({
        fault: (_request, index) => (index % 3 === 1 ? faults[Math.floor(index / 3)] : undefined)
      })
      const { failures, texts } = yield* worked([server.endpoint], 16, 1, { concurrency: 2, deadlineMillis: 300 })
      assert.deepStrictEqual(failures, [])
      assert.isTrue(texts.flat().every((text) => text !== undefined))
      assert.strictEqual(server.counts().requests, 20)
    })
  )

  live("that stays is data, with its reason, and the others have theirs", () =>
    Effect.gen(function* () {
      const server = yield* serving({
        delayMillis: () => 2,
        fault: ({ question }) => {
          if (question === "q3") return { kind: "status", status: 400, body: "the prompt is too long" }
          return question === "q5" ? { kind: "status", status: 500, body: "CUDA error" } : undefined
        }
      })
      const { exit, failures, texts } = yield* worked([server.endpoint], 40, 1, { concurrency: 3 })
      assert.strictEqual(exit._tag, "Success")
      assert.sameMembers(failures, ["3: status 400: the prompt is too long", "5: status 500: CUDA error"])
      assert.strictEqual(texts.flat().filter((text) => text !== undefined).length, 38)
      assert.strictEqual(server.received.filter(({ question }) => question === "q5").length, 3)
      assert.strictEqual(server.received.filter(({ question }) => question === "q3").length, 1)
    })
  )

  live("waits as long as Retry-After says", () =>
    Effect.gen(function* () {
      let at = 0
      const waits: Array<number> = []
      const server = yield* serving({
        fault: (_request, index) => {
          if (index === 1) waits.push(performance.now() - at)
          at = performance.now()
          return index === 0 ? { kind: "status", status: 429, retryAfter: 1 } : undefined
        }
      })
      const { failures, texts } = yield* worked([server.endpoint], 3, 2, { concurrency: 1 })
      assert.deepStrictEqual(failures, [])
      assert.deepStrictEqual(texts, whole(3, 2))
      assert.isAtLeast(waits[0] ?? 0, 990)
    })
  )
})

describe("the whole", () => {
  live("fails when no server answers for as long as there is patience, naming each", () =>
    Effect.gen(function* () {
      const [a, b] = [`http://127.0.0.1:${yield* deadPort}/v1`, `http://127.0.0.1:${yield* deadPort}/v1`]
      const { exit } = yield* worked([a, b], 4, 1, { patienceMillis: 200 })
      const failure = exit._tag === "Failure" ? exit.failure : undefined
      assert.strictEqual(failure?._tag, "ServersSilent")
      assert.include(failure?.message, a)
      assert.include(failure?.message, b)
    })
  )

  live("fails at once where a server asks to be left alone for longer than that", () =>
    Effect.gen(function* () {
      const server = yield* serving({ fault: () => ({ kind: "status", status: 429, retryAfter: 3600, body: "quota" }) })
      const { exit } = yield* worked([server.endpoint], 4, 1)
      assert.strictEqual(exit._tag === "Failure" ? exit.failure._tag : "", "ServersSilent")
      assert.isAtMost(server.counts().requests, 4)
    })
  )

  live("fails for a refused key, an unknown model, and where every request is refused", () =>
    Effect.gen(function* () {
      for (const [status, words] of [
        [401, "the key is refused"],
        [404, "no such model or route"],
        [422, "every request is refused"]
      ] as const) {
        const server = yield* serving({ fault: () => ({ kind: "status", status, body: "because" }) })
        const { exit, failures } = yield* worked([server.endpoint], 40, 1)
        const failure = exit._tag === "Failure" ? exit.failure : undefined
        assert.strictEqual(failure?._tag, "ServersRefused")
        assert.include(failure?.message, words)
        assert.include(failure?.message, "because")
        assert.deepStrictEqual(failures, [])
        assert.isAtMost(server.counts().requests, 12)
      }
    })
  )
})
