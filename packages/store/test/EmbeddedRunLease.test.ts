import { RunLease } from "@gradus/domain/RunLease"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as EmbeddedRunLease from "../src/EmbeddedRunLease.ts"

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "gradus-lease-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)
const acquire = (path: string) => Effect.flatMap(RunLease, (lease) => lease.acquire(path))

/** Another process that takes the lease, says its number and keeps it until it is killed. */
const holder = (path: string) => {
  const module = fileURLToPath(new URL("../src/EmbeddedRunLease.ts", import.meta.url))
  const code = `
    import * as Effect from "effect/Effect"
    import { RunLease } from "@gradus/domain/RunLease"
    import { layer } from ${JSON.stringify(module)}
    const work = Effect.flatMap(RunLease, (lease) => lease.acquire(${JSON.stringify(path)})).pipe(
      Effect.tap((number) => Effect.sync(() => console.log(number))), Effect.andThen(Effect.never))
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

describe("the embedded run lease", () => {
  it.live("each owner gets a higher number than the last", () =>
    Effect.gen(function* () {
      const path = yield* directory
      const numbers = yield* Effect.forEach([1, 2, 3], () => Effect.scoped(acquire(path)))
      assert.deepStrictEqual(numbers, [1, 2, 3])
    }).pipe(Effect.provide(EmbeddedRunLease.layer))
  )

  it.live("a second owner in the same process is refused while the first holds it", () =>
    Effect.gen(function* () {
      const path = yield* directory
      yield* acquire(path)
      const refused = yield* Effect.flip(Effect.scoped(acquire(path)))
      assert.strictEqual(refused._tag, "RunOwned")
      assert.strictEqual(refused.directory, path)
    }).pipe(Effect.provide(EmbeddedRunLease.layer))
  )

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
})
