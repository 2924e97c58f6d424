/** `gradus view`: the viewer over a directory of runs, as a server on loopback or as a static folder. */
import { listFiles, listRuns } from "@gradus/experiment/ListRuns"
import { listSweeps, sweepView } from "@gradus/sweep/ListSweeps"
import { ViewServer } from "@gradus/server/viewer/ViewServer"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { print, printJson, say } from "../Output.ts"
import { projectRoot } from "../ProjectRoot.ts"
import { UsageError } from "../UsageError.ts"

export interface ViewOptions {
  readonly runs: string
  readonly port: number
  readonly bundle: string | undefined
  readonly json: boolean
}

const pagesFolder = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const pages = path.join(projectRoot, "apps/viewer/dist/pages")
  if (!(yield* fs.exists(path.join(pages, "index.html"))))
    return yield* new UsageError({ reason: "the viewer's pages are not built; run: npm run setup" })
  return pages
})

/** Writes what the pages of sweeps read. */
const writeSweeps = Effect.fn("gradus.view.sweeps")(function* (runs: string, data: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const listed = yield* listSweeps(runs)
  yield* fs.makeDirectory(path.join(data, "sweeps"), { recursive: true })
  for (const { sweep } of listed.sweeps)
    yield* fs.writeFileString(
      path.join(data, "sweeps", `${sweep}.json`),
      JSON.stringify(Option.getOrNull(yield* sweepView(runs, sweep)))
    )
  yield* fs.writeFileString(path.join(data, "sweeps.json"), JSON.stringify(listed))
  return listed.sweeps.length
})

/** Writes the pages and the files of all runs and sweeps as a folder that any web server can serve. */
const writeBundle = Effect.fn("gradus.view.bundle")(function* (runs: string, pages: string, target: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  if ((yield* fs.exists(target)) && (yield* fs.readDirectory(target)).length > 0)
    return yield* new UsageError({ reason: `${target} is not empty; a bundle is written into a new folder` })
  yield* fs.copy(pages, target)
  const index = yield* listRuns(runs)
  const data = path.join(target, "data")
  yield* fs.makeDirectory(data, { recursive: true })
  let bytes = 0
  for (const { run } of index.runs) {
    const listed = yield* listFiles(runs, run)
    for (const file of listed.files) {
      const to = path.join(data, "runs", run, file.path)
      yield* fs.makeDirectory(path.dirname(to), { recursive: true })
      yield* fs.copyFile(path.join(runs, run, file.path), to)
      bytes += file.bytes
    }
    yield* fs.writeFileString(path.join(data, "runs", run, "index.json"), JSON.stringify(listed))
  }
  yield* fs.writeFileString(path.join(data, "index.json"), JSON.stringify(index))
  const sweeps = yield* writeSweeps(runs, data)
  return { bundle: target, runs: index.runs.length, sweeps, bytes }
})

/** Serves until it is told to stop, or writes a bundle. */
export const view = Effect.fn("gradus.view")(function* (options: ViewOptions) {
  const path = yield* Path.Path
  const pages = yield* pagesFolder
  const runs = path.resolve(options.runs)
  if (options.bundle !== undefined) {
    const written = yield* writeBundle(runs, pages, path.resolve(options.bundle))
    return yield* options.json
      ? printJson(written)
      : print(
          `${written.bundle}: ${written.runs} runs, ${written.sweeps} sweeps, ${written.bytes} bytes; serve it with any web server`
        )
  }
  return yield* Effect.gen(function* () {
    const { url } = yield* ViewServer
    yield* options.json ? printJson({ url, pid: process.pid }) : print(url)
    yield* say("serving; it only reads; Ctrl-C stops it")
    return yield* Effect.never
  }).pipe(Effect.provide(ViewServer.layer({ runs, pages, port: options.port })))
})
