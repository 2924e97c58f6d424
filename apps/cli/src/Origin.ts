/** Where a run comes from: commit, uncommitted difference, lock files, versions, hardware. What cannot be found out is null, never a failure. */
import * as Digest from "@gradus/domain/Digest"
import type { Origin } from "@gradus/experiment/Run"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as ChildProcess from "effect/process/ChildProcess"
import * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import { cpus, platform, release, totalmem } from "node:os"

const LOCKS = ["package-lock.json", "apps/trainer/constraints.txt"]

const git = (root: string, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    return yield* spawner.string(ChildProcess.make("git", [...args], { cwd: root, stderr: "ignore" }))
  }).pipe(
    Effect.timeout("10 seconds"),
    Effect.orElseSucceed(() => "")
  )

const locks = Effect.fnUntraced(function* (root: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const rows = yield* Effect.forEach(LOCKS, (name) =>
    fs.readFile(path.join(root, name)).pipe(
      Effect.map((bytes) => [[name, Digest.ofBytes(bytes)] as const]),
      Effect.orElseSucceed(() => [])
    )
  )
  return Object.fromEntries(rows.flat())
})

/** Describes the checkout at `root` and this machine. */
export const origin = Effect.fn("Origin.origin")(function* (root: string) {
  const commit = (yield* git(root, "rev-parse", "HEAD")).trim()
  const difference = commit === "" ? "" : yield* git(root, "diff", "HEAD")
  const result: Origin = {
    commit: commit === "" ? null : commit,
    dirty: difference === "" ? null : Digest.ofBytes(new TextEncoder().encode(difference)),
    locks: yield* locks(root),
    versions: { node: process.versions.node, v8: process.versions.v8 },
    hardware: {
      cpus: cpus().length,
      cpu_model: cpus()[0]?.model ?? "unknown",
      memory_bytes: totalmem(),
      platform: `${platform()} ${release()} ${process.arch}`
    }
  }
  return result
})
