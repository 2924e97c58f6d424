/** Which directory is opened: the named one, that of the environment, the newest one, in this order. */
import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { aRun, directoryOf, type Kind } from "../src/Newest.ts"

const opened = (kind: Kind, named: string | undefined, variables: Record<string, string>) =>
  directoryOf(kind, named).pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(variables))))

const { layer } = NodeServices

describe("directoryOf", () => {
  it.live("takes the name, else the environment, else the directory that was written last", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const runs = yield* fs.makeTempDirectoryScoped()
      const kind = { ...aRun, folders: [path.join(runs, "absent"), runs] }
      const make = Effect.fnUntraced(function* (name: string, seconds: number) {
        const journal = path.join(runs, name, "events.ndjson")
        yield* fs.makeDirectory(path.dirname(journal))
        yield* fs.writeFileString(journal, "")
        yield* fs.utimes(journal, seconds, seconds)
        return path.dirname(journal)
      })
      yield* make("old--0123456789ab", 1_000)
      const newest = yield* make("new--0123456789ab", 3_000)
      yield* make("middle--0123456789ab", 2_000)
      yield* make(".hidden", 9_000)
      yield* fs.makeDirectory(path.join(runs, "empty--0123456789ab"))
      assert.strictEqual(yield* opened(kind, undefined, {}), newest)
      assert.strictEqual(yield* opened(kind, undefined, { GRADUS_RUN: "/some/run" }), "/some/run")
      assert.strictEqual(yield* opened(kind, "named", { GRADUS_RUN: "/some/run" }), path.resolve("named"))
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.live("says what to do where there is nothing", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(opened({ ...aRun, folders: ["nowhere"] }, undefined, {}))
      assert.strictEqual(failure.message, "there is no run in nowhere: name its directory, or set GRADUS_RUN")
    }).pipe(Effect.provide(layer))
  )
})
