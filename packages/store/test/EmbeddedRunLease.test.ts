import { RunLease } from "@gradus/domain/RunLease"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as EmbeddedRunLease from "../src/EmbeddedRunLease.ts"
import { nobody, runLeaseContract } from "./RunLeaseContract.ts"
import { directory } from "./stores.ts"

const acquire = (path: string) =>
  RunLease.use((lease) => lease.acquire(path, nobody)).pipe(Effect.map(({ record }) => record.number))

/** Another process that takes the lease, says its number and keeps it until it is killed. */
const holder = (path: string) => {
  const module = fileURLToPath(new URL("../src/EmbeddedRunLease.ts", import.meta.url))
  const code = `
    import * as Effect from "effect/Effect"
    import { RunLease } from "@gradus/domain/RunLease"
    import { layer } from ${JSON.stringify(module)}
    const work = Effect.flatMap(RunLease, (lease) => lease.acquire(${JSON.stringify(path)}, { number: 0, record: undefined })).pipe(
      Effect.tap(({ record }) => Effect.sync(() => console.log(record.number))), Effect.andThen(Effect.never))
    setInterval(() => {}, 1000)
    await Effect.runPromise(Effect.scoped(Effect.provide(work, layer)))`
  return spawn(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    stdio: ["ignore", "pipe", "inherit"]
  })
}

const firstLine = (child: ReturnType<typeof holder>) =>
  Effect.promise<string>(
    () => new Promise((resolve) => child.stdout?.once("data", (data) => resolve(String(data).trim())))
  )
const gone = (child: ReturnType<typeof holder>) =>
  Effect.promise(() => new Promise((resolve) => child.once("exit", resolve)))

runLeaseContract(
  "files of this machine",
  Effect.succeed(() => EmbeddedRunLease.layer)
)

describe("the embedded run lease", () => {
  it.live("another process's lease is refused, and free as soon as that process is killed by -9", () =>
    Effect.gen(function* () {
      const path = yield* directory
      const child = holder(path)
      assert.strictEqual(yield* firstLine(child), "1")
      assert.strictEqual((yield* Effect.flip(acquire(path)))._tag, "RunOwned")
      child.kill("SIGKILL")
      yield* gone(child)
      // the refused attempt took no number
      assert.strictEqual(yield* acquire(path), 2)
    }).pipe(Effect.provide(EmbeddedRunLease.layer))
  )

  it.live("a lease file that is no database is said, not overwritten", () =>
    Effect.gen(function* () {
      const path = yield* directory
      writeFileSync(join(path, EmbeddedRunLease.LEASE_FILE), "this is a text of more than a hundred bytes ".repeat(5))
      const failed = yield* Effect.flip(acquire(path))
      assert.strictEqual(failed._tag, "RunLeaseFailed")
      assert.include(failed.message, path)
    }).pipe(Effect.provide(EmbeddedRunLease.layer))
  )

  it.live("a directory that an owner through Redis has not left is not taken from here", () =>
    Effect.gen(function* () {
      const path = yield* directory
      const record = { format: 1, number: 3, store: "redis://10.0.0.1:6379", owner: "host, process 7" } as const
      const refused = yield* Effect.flip(RunLease.use((lease) => lease.acquire(path, { number: 3, record })))
      assert.include(refused.message, "host, process 7 through redis://10.0.0.1:6379")
    }).pipe(Effect.provide(EmbeddedRunLease.layer))
  )
})
