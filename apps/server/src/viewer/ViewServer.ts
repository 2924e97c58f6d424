/** The viewer's server: the built pages, the lists of runs and of sweeps, and the files of runs with byte ranges. It holds no state and writes nothing. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { RUN_FILE, RUN_NAME } from "@gradus/domain/RunIndex"
import { listFiles, listRuns } from "@gradus/experiment/ListRuns"
import { listSweeps, sweepView } from "@gradus/sweep/ListSweeps"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import type * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpStaticServer from "effect/http/HttpStaticServer"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import { createServer } from "node:http"
import { guard } from "./ViewGuard.ts"

export interface ViewServerOptions {
  /** Directory of all runs. */
  readonly runs: string
  /** Directory of the built pages. */
  readonly pages: string
  /** 0: any free port. */
  readonly port: number
  /** Default 127.0.0.1. */
  readonly host?: string
}

const missing = HttpServerResponse.jsonUnsafe(
  { title: "there is no such file", status: 404, code: "not_found" },
  { status: 404, contentType: "application/problem+json" }
)

/** What changes while a run goes on is asked for again each time. */
const fresh = HttpServerResponse.setHeader("cache-control", "no-cache")

/** Splits `/data/runs/<run>/<path>`; undefined for everything that a viewer may not read. */
export const runPath = (url: string): { readonly run: string; readonly path: string } | undefined => {
  const [, run, path] = /^\/data\/runs\/([^/?#]+)\/([^?#]+)$/.exec(url.replace(/[?#].*$/, "")) ?? []
  return run !== undefined && path !== undefined && RUN_NAME.test(run) && (path === "index.json" || RUN_FILE.test(path))
    ? { run, path }
    : undefined
}

/** A link in a run directory may lead anywhere: only files that really lie below it are served. */
const isInside = Effect.fn("ViewServer.isInside")(function* (root: string, path: string) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const real = Effect.orElseSucceed(fs.realPath(paths.join(root, path)), () => undefined)
  const [base, file] = [yield* Effect.orElseSucceed(fs.realPath(root), () => undefined), yield* real]
  return base !== undefined && file !== undefined && file.startsWith(`${base}/`)
})

const dataRoutes = (runs: string) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const router = yield* HttpRouter.HttpRouter
      const context = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
      const files = yield* HttpStaticServer.make({ root: runs, index: undefined, cacheControl: "no-cache" })
      yield* router.add(
        "GET",
        "/data/index.json",
        Effect.map(listRuns(runs), (index) => fresh(HttpServerResponse.jsonUnsafe(index))).pipe(Effect.provide(context))
      )
      yield* router.add(
        "GET",
        "/data/sweeps.json",
        Effect.map(listSweeps(runs), (index) => fresh(HttpServerResponse.jsonUnsafe(index))).pipe(
          Effect.provide(context)
        )
      )
      yield* router.add(
        "GET",
        "/data/sweeps/*",
        Effect.gen(function* () {
          const { url } = yield* HttpServerRequest.HttpServerRequest
          const name = /^\/data\/sweeps\/([^/?#]+)\.json(?:[?#]|$)/.exec(url)?.[1]
          const view = name === undefined ? Option.none() : yield* sweepView(runs, name)
          return Option.isNone(view) ? missing : fresh(HttpServerResponse.jsonUnsafe(view.value))
        }).pipe(Effect.provide(context))
      )
      yield* router.add(
        "GET",
        "/data/runs/*",
        Effect.gen(function* () {
          const request = yield* HttpServerRequest.HttpServerRequest
          const asked = runPath(request.url)
          if (asked === undefined || !(yield* isInside(runs, asked.run))) return missing
          if (asked.path === "index.json")
            return fresh(HttpServerResponse.jsonUnsafe(yield* listFiles(runs, asked.run)))
          if (!(yield* isInside(`${runs}/${asked.run}`, asked.path))) return missing
          return yield* files.pipe(
            Effect.provideService(
              HttpServerRequest.HttpServerRequest,
              request.modify({ url: `/${asked.run}/${asked.path}` })
            ),
            Effect.catch(HttpServerRespondable.toResponse)
          )
        }).pipe(Effect.provide(context))
      )
    })
  )

/** Where the viewer is reached. */
export class ViewServer extends Context.Service<ViewServer, { readonly url: string }>()("@gradus/server/ViewServer") {
  /** Serves for as long as the layer lives. */
  static readonly layer = (
    options: ViewServerOptions
  ): Layer.Layer<ViewServer, HttpServerError.ServeError | PlatformError, FileSystem.FileSystem | Path.Path> => {
    const host = options.host ?? "127.0.0.1"
    const address = Layer.effect(
      ViewServer,
      Effect.map(HttpServer.HttpServer, (server) => ({
        url: HttpServer.formatAddress(server.address).replace(/\/$/, "")
      }))
    )
    const routes = Layer.mergeAll(
      dataRoutes(options.runs),
      HttpStaticServer.layer({ root: options.pages }),
      guard(host)
    )
    const served = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true })
    return Layer.mergeAll(served, address).pipe(
      Layer.provide(
        NodeHttpServer.layer(createServer, { port: options.port, host, gracefulShutdownTimeout: "1 second" })
      )
    )
  }
}
