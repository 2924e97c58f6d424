import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { spawn } from "node:child_process"
import { chmodSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as EmbeddedTrainer from "../src/EmbeddedTrainer.ts"
import { TrainerAddress } from "../src/TrainerAddress.ts"
import * as RealTrainer from "./realTrainer.ts"

/** Whether a process runs; one that ended and waits to be reaped does not. */
const runs = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return false
  }
}

const gone = (pid: number) =>
  Effect.sync(() => !runs(pid)).pipe(
    Effect.repeat({ until: (ended) => ended, schedule: Schedule.spaced("50 millis") }),
    Effect.timeout("15 seconds")
  )

/** Starts a shell script in place of Python. */
const startScript = Effect.fnUntraced(function* (script: string, startWithin: `${number} seconds` = "20 seconds") {
  const path = yield* RealTrainer.directory
  const python = join(path, "python")
  writeFileSync(python, `#!/bin/sh\n${script}\n`)
  chmodSync(python, 0o755)
  const options = { python, state: path, artifacts: path, threads: 1, device: "cpu", token: RealTrainer.token } as const
  return yield* Layer.build(EmbeddedTrainer.layer({ ...options, startWithin })).pipe(
    Effect.provide(NodeServices.layer),
    Effect.flip
  )
})

describe("EmbeddedTrainer", () => {
  it.live(
    "runs as long as its scope",
    () =>
      Effect.gen(function* () {
        const { pid, url } = yield* Effect.scoped(
          Effect.gen(function* () {
            const address = yield* TrainerAddress
            assert.isTrue(runs(address.pid))
            const health = yield* Effect.promise(() => fetch(`${address.url}/healthz`))
            assert.strictEqual(health.status, 200)
            const info = yield* Effect.promise(() => fetch(`${address.url}/v1/info`))
            assert.strictEqual(info.status, 401)
            return address
          }).pipe(Effect.provide(RealTrainer.started))
        )
        assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
        yield* gone(pid)
      }),
    60_000
  )

  it.live(
    "dies with its parent, even by kill -9",
    () =>
      Effect.gen(function* () {
        const holder = spawn(process.execPath, [fileURLToPath(new URL("holdTrainer.ts", import.meta.url))], {
          stdio: ["ignore", "pipe", "inherit"]
        })
        const line = yield* Effect.callback<string>((resume) => {
          holder.stdout.once("data", (data: Buffer) => resume(Effect.succeed(data.toString())))
        })
        const pid = Number(line)
        assert.isTrue(runs(pid))
        holder.kill("SIGKILL")
        yield* gone(pid)
      }),
    60_000
  )

  it.live("says the status and the last words of a process that ends before it is ready", () =>
    Effect.gen(function* () {
      const error = yield* startScript("echo 'ModuleNotFoundError: no module' >&2; exit 3")
      assert.strictEqual(error._tag, "TrainerStartFailed")
      assert.include(error.reason, "status 3")
      assert.deepStrictEqual(error.stderrTail, ["ModuleNotFoundError: no module"])
    })
  )

  it.live("says what came in place of the first line", () =>
    Effect.gen(function* () {
      const error = yield* startScript("echo hello; sleep 30")
      assert.include(error.reason, "hello")
    })
  )

  it.live("does not wait for a silent process beyond its time", () =>
    Effect.gen(function* () {
      const error = yield* startScript("exec sleep 30", "1 seconds")
      assert.include(error.reason, "nothing for 1 s")
    })
  )

  it.live("says that there is no such Python", () =>
    Effect.gen(function* () {
      const path = yield* RealTrainer.directory
      const options = { state: path, artifacts: path, threads: 1, device: "cpu", token: RealTrainer.token } as const
      const layer = EmbeddedTrainer.layer({ ...options, python: join(path, "nothing") })
      const error = yield* Effect.flip(Layer.build(layer)).pipe(Effect.provide(NodeServices.layer))
      assert.strictEqual(error._tag, "TrainerStartFailed")
      assert.include(error.reason, "nothing")
    })
  )
})
