/**
 * The file system of a test that kills: `GRADUS_KILL_AT=<moment>#<n>` ends this process by kill -9 there, `GRADUS_KILL_LOG=<file>` lists the moments that
 * come. Only a test build has it: a tree with its dev dependencies (`@gradus/testing`), told so by `NODE_ENV=test`. Anything else refuses to start.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { UsageError } from "./UsageError.ts"

const NAME = "GRADUS_KILL_AT"

const refused = (reason: string) =>
  new UsageError({ reason: `${NAME} ends this process by kill -9 and is for tests alone (${reason}): unset it` })

/** Says whether a test asks for this file system. */
export const isAsked = (environment: NodeJS.ProcessEnv): boolean =>
  environment[NAME] !== undefined || environment["GRADUS_KILL_LOG"] !== undefined

/** The platform's services with a file system that kills. A moment of the trainer (`trainer.applied#2`) is left to the trainer, which reads the same variable. */
export const platform = (environment: NodeJS.ProcessEnv) =>
  Layer.unwrap(
    Effect.gen(function* () {
      if (environment["NODE_ENV"] !== "test") return yield* refused("NODE_ENV is not test")
      const KillPoint = yield* Effect.tryPromise({
        try: () => import("@gradus/testing/KillPoint"),
        catch: () => refused("this installation is no test build")
      })
      const text = environment[NAME]
      const point = text === undefined ? undefined : KillPoint.parse(text)
      if (text !== undefined && point === undefined) return yield* refused(`${text} is not <moment>#<n>`)
      const files = KillPoint.layer(point, environment["GRADUS_KILL_LOG"])
      return Layer.merge(NodeServices.layer, files.pipe(Layer.provide(NodeServices.layer)))
    })
  )
