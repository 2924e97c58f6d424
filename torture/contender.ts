/**
 * An orchestrator that does nothing but own a run and write: `node torture/contender.ts (REDIS_URL | local)`. Told `own DIRECTORY` on standard input, it
 * commits lines, replaces a file and stores answers as fast as it can, until it is told `leave` or finds that the run is not its own any more. It says each thing after it
 * happened.
 */
import { writeFile } from "@gradus/experiment/AtomicFile"
import { openJournal } from "@gradus/experiment/Journal"
import { Owner, own } from "@gradus/experiment/Owner"
import { openAnswers } from "@gradus/experiment/profiler/AnswerStore"
import { layer as embeddedLease } from "@gradus/store/EmbeddedRunLease"
import * as RedisRunLease from "@gradus/store/redis/RedisRunLease"
import { connection } from "@gradus/store/redis/RedisStore"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { writeSync } from "node:fs"
import { createInterface } from "node:readline"

/** How long a lease lasts in trials: short, so that many trials fit into minutes. */
const TTL = "300 millis"

const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`)

/** Stores answers of a profile's shard, one behind the other. */
const answer = Effect.fnUntraced(function* (directory: string, number: number) {
  const store = yield* openAnswers({ directory, placeOf: () => 0, each: () => {} })
  const asking = Effect.gen(function* () {
    for (let k = 0; ; k++) {
      yield* store.append(0, [
        {
          question_id: String(number),
          k: k % 65_536,
          text: "x",
          finish_reason: "stop",
          value: 1,
          answer: null,
          prompt_tokens: 1,
          completion_tokens: 1,
          server: "none"
        }
      ])
      say({ said: "stored", number, step: k })
      // without a store between them answers come faster than whoever listens can read
      yield* Effect.sleep("3 millis")
    }
  })
  return yield* Effect.raceFirst(asking, store.broken)
}, Effect.scoped)

/** Owns a run and writes, a line of the journal and a file in turn, and answers beside them. */
const contend = Effect.fnUntraced(function* (root: string) {
  const { lost, owner, record } = yield* own(root)
  const { number } = record
  const work = Effect.gen(function* () {
    const journal = yield* openJournal(`${root}/events.ndjson`)
    say({ said: "owned", number, read: journal.events().length })
    for (let step = journal.events().length + 1; ; step++) {
      yield* journal.commit({ _tag: "step_finished", step, version: number })
      say({ said: "committed", step, number })
      yield* writeFile(`${root}/latest`, String(number))
      say({ said: "wrote", number })
    }
  })
  const both = Effect.all([work, answer(root, number)], { concurrency: 2 })
  return yield* Effect.raceFirst(Effect.provideService(both, Owner, owner), lost)
}, Effect.scoped)

const attempt = (root: string) =>
  contend(root).pipe(
    Effect.catch((error) => Effect.sync(() => say({ said: "ended", why: error._tag }))),
    Effect.onInterrupt(() => Effect.sync(() => say({ said: "left" })))
  )

const main = Effect.gen(function* () {
  let working: Fiber.Fiber<unknown> | undefined
  say({ said: "ready" })
  yield* Stream.fromAsyncIterable(createInterface({ input: process.stdin }), (cause) => cause).pipe(
    Stream.runForEach(
      Effect.fnUntraced(function* (line) {
        const [verb, root = ""] = line.split(" ")
        if (working !== undefined) yield* Fiber.interrupt(working)
        working = verb === "own" ? yield* Effect.forkChild(attempt(root)) : undefined
      })
    )
  )
})

const place = process.argv[2] ?? "local"
const lease =
  place === "local"
    ? embeddedLease
    : RedisRunLease.layer({ ttl: TTL }).pipe(Layer.provide(connection({ url: place, deadline: "10 seconds" })))

NodeRuntime.runMain(main.pipe(Effect.provide([lease, NodeServices.layer])))
