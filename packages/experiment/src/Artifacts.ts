/** Stage outputs that runs share: immutable folders `<stage>/<digest>/`, published whole by a rename. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { exists, RunFileFailed, syncFolder, writeFile } from "./AtomicFile.ts"

const folder = (path: Path.Path, artifacts: string, stage: string, digest: string) =>
  path.join(artifacts, stage, digest)

/** Finds an artifact's folder. */
export const find = Effect.fn("Artifacts.find")(function* (artifacts: string, stage: string, digest: string) {
  const path = yield* Path.Path
  const directory = folder(path, artifacts, stage, digest)
  return (yield* exists(directory)) ? directory : undefined
})

/** Publishes files as an artifact. When another run was faster, its folder stands: equal digests mean equal content. */
export const publish = Effect.fn("Artifacts.publish")(function* (
  artifacts: string,
  stage: string,
  digest: string,
  run: string,
  files: Readonly<Record<string, Uint8Array | string>>
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = folder(path, artifacts, stage, digest)
  const aside = `${directory}.${run}.tmp`
  for (const [name, data] of Object.entries(files)) yield* writeFile(path.join(aside, name), data)
  const failed = (cause: { readonly message: string }) =>
    new RunFileFailed({ file: directory, operation: "write", reason: cause.message })
  if (yield* exists(directory)) yield* fs.remove(aside, { recursive: true }).pipe(Effect.mapError(failed))
  else
    yield* fs.rename(aside, directory).pipe(
      Effect.catch((cause) =>
        Effect.flatMap(exists(directory), (there) =>
          // a rename may be reported as failed and have moved all the same: then there is nothing aside
          there ? fs.remove(aside, { recursive: true, force: true }) : Effect.fail(cause)
        )
      ),
      Effect.andThen(syncFolder(path.dirname(directory))),
      Effect.mapError(failed)
    )
  return directory
})
