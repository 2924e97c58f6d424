/** Files of a sweep that nobody owns: any number of workers begin it together, and each may write them. */
import { RunFileFailed, writeJson } from "@gradus/experiment/AtomicFile"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"

/** Replaces a file whole. It is written in a folder of its own first: beside it, two workers would write and move the same file. */
export const replaceJson = Effect.fn("CommonFile.replace")(
  function* (file: string, value: unknown) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const directory = path.dirname(file)
    yield* fs.makeDirectory(directory, { recursive: true })
    const folder = yield* fs.makeTempDirectoryScoped({ directory, prefix: `.${path.basename(file)}-` })
    const aside = path.join(folder, path.basename(file))
    yield* writeJson(aside, value)
    yield* fs.rename(aside, file)
  },
  Effect.scoped,
  (effect, file) =>
    Effect.catchTag(effect, "PlatformError", ({ message }) =>
      Effect.fail(new RunFileFailed({ file, operation: "write", reason: message }))
    )
)
