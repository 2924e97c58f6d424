/** What a power cut must not take back: a file's bytes before its name, its name before the call returns, and the folders on the way to it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { systemError } from "effect/PlatformError"
import * as Path from "effect/Path"
import { publish } from "../src/Artifacts.ts"
import { writeFile } from "../src/AtomicFile.ts"
import { inTemporaryRuns } from "./simulated.ts"

/** Lists the flushes, renames and new folders of a part, by their paths below a root; `broken` is a folder whose flush fails. */
const traced = <A, E, R>(root: string, part: Effect.Effect<A, E, R>, broken?: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const done: Array<string> = []
    const short = (file: string): string => (file === root ? "." : file.slice(root.length + 1))
    const failed = systemError({ _tag: "Unknown", module: "test", method: "sync", description: "EIO" })
    const traced: FileSystem.FileSystem = {
      ...files,
      makeDirectory: (folder, options) =>
        Effect.tap(files.makeDirectory(folder, options), () => Effect.sync(() => done.push(`make ${short(folder)}`))),
      rename: (from, to) =>
        Effect.tap(files.rename(from, to), () => Effect.sync(() => done.push(`rename ${short(to)}`))),
      open: (file, options) =>
        Effect.map(files.open(file, options), (handle) => {
          const sync = Effect.suspend(() =>
            short(file) === broken
              ? Effect.fail(failed)
              : Effect.tap(handle.sync, () => Effect.sync(() => done.push(`sync ${short(file)}`)))
          )
          return new Proxy(handle, {
            get: (of, key) => {
              if (key === "sync") return sync
              const member: unknown = Reflect.get(of, key)
              return typeof member === "function" ? member.bind(of) : member
            }
          })
        })
    }
    const result = yield* Effect.exit(Effect.provideService(part, FileSystem.FileSystem, traced))
    return { done, result }
  })

describe("a file that was written", () => {
  it.effect("is synced, gets its name, and the name is synced; so is each new folder in the one above", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* fs.makeDirectory(runs, { recursive: true })
        const first = yield* traced(runs, writeFile(`${runs}/steps/1/a.json`, "a"))
        assert.deepStrictEqual(first.done, [
          "make steps",
          "sync .",
          "make steps/1",
          "sync steps",
          "sync steps/1/.a.json.tmp",
          "rename steps/1/a.json",
          "sync steps/1"
        ])
        const second = yield* traced(runs, writeFile(`${runs}/steps/1/a.json`, "b"))
        assert.deepStrictEqual(second.done, first.done.slice(-3))
      })
    )
  )

  it.effect("is no success where its name could not be synced", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* fs.makeDirectory(`${runs}/steps`, { recursive: true })
        const { result } = yield* traced(runs, writeFile(`${runs}/steps/a.json`, "a"), "steps")
        const refused = yield* Effect.flip(result)
        assert.deepInclude(refused, { _tag: "RunFileFailed", operation: "write", file: `${runs}/steps/a.json` })
      })
    )
  )

  it.effect("as part of an artifact is there with it: the artifact's name is synced after its files", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const path = yield* Path.Path
        const artifacts = path.join(runs, ".artifacts")
        const { done } = yield* traced(runs, publish(artifacts, "profile", "d", "run", { "a.json": "a" }))
        assert.deepStrictEqual(done.slice(-3), [
          "sync .artifacts/profile/d.run.tmp",
          "rename .artifacts/profile/d",
          "sync .artifacts/profile"
        ])
      })
    )
  )
})
