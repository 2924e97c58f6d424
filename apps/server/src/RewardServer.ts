/** The reward server: one scorer behind the doors of several trainers, on loopback and with a token unless it is told otherwise. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import type { Question, Thinking } from "@gradus/domain/Question"
import type { Scorer } from "@gradus/rewards/service/Scorer"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiScalar from "effect/http-api/HttpApiScalar"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import type * as HttpServerError from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import { createServer } from "node:http"
import { bodyLimit } from "./BodyLimit.ts"
import { RewardApi } from "./RewardApi.ts"
import { RewardAuth } from "./RewardAuth.ts"
import { doorsLayer, type Grading, healthLayer } from "./RewardHandlers.ts"
import { indexTruths } from "./Truths.ts"

export interface RewardServerOptions {
  /** What is graded by: said at `/v1/info`; the scorer does it. */
  readonly rewards: RewardsSpec
  /** 0: any free port. */
  readonly port: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Absent: a new one; null: none, on loopback only. */
  readonly token?: Redacted.Redacted | null
  /** Questions of a manifest, for callers that send no truth. */
  readonly questions?: ReadonlyArray<Question>
  /** Most completions in one request; default 4,096. */
  readonly batchLimit?: number
  /** Most bytes of one body; default 64 MiB. */
  readonly bodyLimit?: number
  /** Whether completions think, where the caller does not say; default on. */
  readonly thinking?: Thinking
  /** What unscored is worth at doors that take only numbers; default: refuse, with 503. */
  readonly unscored?: number | "refuse"
  /** How long requests may go on after the server was told to stop; default 10 seconds. */
  readonly grace?: Duration.Input
}

/** Without a token everybody who reaches the port may grade, and spend the judge's money: only this machine may. */
export class OpenToOthers extends Schema.TaggedError<OpenToOthers>()("OpenToOthers", { host: Schema.String }) {
  override get message() {
    return `a reward server without a token listens on loopback only, not on ${this.host}`
  }
}

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"])

/** Says whether only this machine reaches a host. */
export const isLoopback = (host: string): boolean => LOOPBACK.has(host)

/** What the server's callers need to know. */
export class RewardServer extends Context.Service<
  RewardServer,
  {
    /** Base URL, without a slash at the end. */
    readonly url: string
    /** null where the server asks for none. */
    readonly token: Redacted.Redacted | null
  }
>()("@gradus/server/RewardServer") {
  /**
   * Serves for as long as the layer lives. Told to stop, it takes no new connections and lets requests end within the grace. The
   * scorer must be provided beneath, so that it ends after them.
   */
  static readonly layer = (
    options: RewardServerOptions
  ): Layer.Layer<RewardServer, HttpServerError.ServeError | OpenToOthers, Scorer> => {
    const host = options.host ?? "127.0.0.1"
    return Layer.unwrap(
      Effect.gen(function* () {
        const token = options.token === undefined ? newToken() : options.token
        if (token === null && !isLoopback(host)) return yield* new OpenToOthers({ host })
        const address = Layer.effect(
          RewardServer,
          Effect.map(HttpServer.HttpServer, (server) => ({
            url: HttpServer.formatAddress(server.address).replace(/\/$/, ""),
            token
          }))
        )
        const served = HttpRouter.serve(routesOf(options, token), { disableLogger: true, disableListenLog: true })
        return Layer.mergeAll(served, address).pipe(
          Layer.provide(
            NodeHttpServer.layer(createServer, {
              port: options.port,
              host,
              gracefulShutdownTimeout: options.grace ?? "10 seconds"
            })
          )
        )
      })
    )
  }
}

/** A token that is made at each start: nobody can know it beforehand. */
const newToken = (): Redacted.Redacted => Redacted.make(randomBytes(32).toString("hex"))

const routesOf = (options: RewardServerOptions, token: Redacted.Redacted | null) => {
  const grading = gradingOf(options)
  return Layer.mergeAll(
    HttpApiBuilder.layer(RewardApi, { openapiPath: "/openapi.json" }).pipe(
      Layer.provide([doorsLayer(grading), healthLayer]),
      Layer.provide([RewardAuth.layer(token), HttpApiMiddleware.layerProblemDetails({ includeDetails: true })])
    ),
    HttpApiScalar.layer(RewardApi, { path: "/docs" }),
    bodyLimit(grading.bodyLimit)
  )
}

const gradingOf = (options: RewardServerOptions): Grading => ({
  rewards: options.rewards,
  batchLimit: options.batchLimit ?? 4_096,
  bodyLimit: options.bodyLimit ?? 64 * 1024 * 1024,
  thinking: options.thinking ?? "on",
  unscored: options.unscored ?? "refuse",
  truths: indexTruths(options.questions ?? []),
  questions: options.questions?.length ?? 0
})
