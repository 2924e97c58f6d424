/** No tracker can stop a run or hold it up, and none loses or doubles what it could take. */
import type { MetricsRow } from "@gradus/domain/Metrics"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import { aliases, spelt } from "../src/Names.ts"
import { start, type Tracker, TrackerFailed } from "../src/Tracker.ts"

const row = (step: number, stage: MetricsRow["stage"] = "train"): MetricsRow => ({
  format: 1,
  stage,
  step,
  metrics: { reward: step / 10, loss: null }
})
const run = { run: "r--1", settings: {} }

const recorder = (change: Partial<Tracker> = {}) => {
  const said: Array<string> = []
  const tracker: Tracker = {
    name: "recorder",
    begin: ({ run: name }) => Effect.sync(() => void said.push(`begin ${name}`)),
    log: (rows) => Effect.sync(() => said.push(...rows.map(({ step }) => `row ${step}`))),
    end: Effect.sync(() => void said.push("end")),
    ...change
  }
  return { said, tracker }
}

const failed = new TrackerFailed({ tracker: "recorder", url: "http://127.0.0.1:1", reason: "refused" })

describe("trackers", () => {
  it.effect("get every row once and in order, and are told when the run is over", () =>
    Effect.gen(function* () {
      const { said, tracker } = recorder()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const send = yield* start([tracker], run)
          yield* send([row(1), row(2)])
          yield* send([row(3)])
        })
      )
      assert.deepStrictEqual(said, ["begin r--1", "row 1", "row 2", "row 3", "end"])
    })
  )

  it.effect("that hang hold nothing up: not a row, and the end of the run for five seconds at most", () =>
    Effect.gen(function* () {
      const { tracker } = recorder({ log: () => Effect.never })
      const healthy = recorder()
      const ended = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        Effect.scoped(
          Effect.gen(function* () {
            const send = yield* start([tracker, healthy.tracker], run)
            yield* send([row(1)])
            yield* Deferred.succeed(ended, undefined)
          })
        )
      )
      yield* Deferred.await(ended)
      yield* TestClock.adjust("4 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(healthy.said, ["begin r--1", "row 1", "end"])
    })
  )

  it.effect("that fail are complained of once, and asked again with the next rows", () =>
    Effect.gen(function* () {
      const complaints: Array<unknown> = []
      let refuse = true
      const { said, tracker } = recorder()
      const shaky: Tracker = {
        ...tracker,
        log: (rows) => Effect.suspend(() => (refuse ? Effect.fail(failed) : tracker.log(rows)))
      }
      yield* Effect.scoped(
        Effect.gen(function* () {
          const send = yield* start([shaky], run)
          yield* send([row(1)])
          yield* Effect.yieldNow
          yield* TestClock.adjust("1 second")
          yield* send([row(2)])
          yield* TestClock.adjust("1 second")
          refuse = false
          yield* send([row(3)])
        })
      ).pipe(Effect.provide(Logger.layer([Logger.make(({ message }) => complaints.push(message))])))
      assert.lengthOf(complaints, 1)
      assert.include(String(complaints[0]), "recorder at http://127.0.0.1:1: refused; the run goes on")
      assert.deepStrictEqual(said, ["begin r--1", "row 3", "end"])
    })
  )

  it.effect("that break in a way nobody foresaw stop nothing either", () =>
    Effect.gen(function* () {
      const { tracker } = recorder({ begin: () => Effect.die(new Error("a bug")) })
      yield* Effect.scoped(Effect.flatMap(start([tracker], run), (send) => send([row(1)]))).pipe(
        Effect.provide(Logger.layer([]))
      )
    })
  )
})

describe("names", () => {
  it("are ours, or those of another framework where its table has one; other stages stand apart; null is left out", () => {
    assert.deepStrictEqual(spelt(row(1), "trl"), [["reward", 0.1]])
    assert.deepStrictEqual(spelt(row(1), "verl"), [["critic/rewards/mean", 0.1]])
    assert.deepStrictEqual(spelt(row(1), "prime-rl"), [["reward/all/mean", 0.1]])
    assert.deepStrictEqual(spelt(row(1), "nemo-rl"), [["train/reward", 0.1]])
    assert.deepStrictEqual(spelt(row(1, "warmup"), "verl"), [["warmup/reward", 0.1]])
  })

  it("never give two metrics one name", () => {
    for (const table of Object.values(aliases))
      assert.strictEqual(new Set(Object.values(table)).size, Object.keys(table).length)
  })
})
