import { assert, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { type AttemptEvent, readAttempts, recordAttempt } from "../src/Attempts.ts"

const started = (attempt: number): AttemptEvent => ({
  _tag: "started",
  format: 1,
  attempt,
  worker: "host, process 1",
  at: "2026-01-01T00:00:00.000Z"
})

it.live("a line that a kill left torn did not happen, and what is tried after it can be read", () =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = `${yield* fs.makeTempDirectoryScoped()}/cell/attempts.ndjson`
    yield* recordAttempt(file, started(1))
    const whole = yield* fs.readFileString(file)
    // killed within the second line, at many of its bytes
    for (let bytes = 1; bytes < whole.length; bytes += 7) {
      yield* fs.writeFileString(file, whole + whole.slice(0, bytes))
      yield* recordAttempt(file, started(2))
      assert.deepStrictEqual(yield* readAttempts(file), [started(1), started(2)], `torn after ${bytes} bytes`)
    }
    // and within the first
    yield* fs.writeFileString(file, whole.slice(0, 20))
    yield* recordAttempt(file, started(2))
    assert.deepStrictEqual(yield* readAttempts(file), [started(2)])
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
)
