/** `gradus serve rewards [M]`: the rewards of a manifest (or of options) for other trainers. */
import type { Question } from "@gradus/domain/Question"
import { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import * as Seed from "@gradus/domain/Seed"
import { loadQuestions } from "@gradus/datasets/service/LoadQuestions"
import { load } from "@gradus/manifest/service/Load"
import { RewardServer } from "@gradus/server/RewardServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Engines } from "../Engines.ts"
import { printJson, say } from "../Output.ts"
import { UsageError } from "../UsageError.ts"

export interface ServeRewardsOptions {
  readonly manifest: string | undefined
  readonly set: ReadonlyArray<string>
  readonly accuracy: string
  readonly answer: string
  readonly format: string
  readonly port: number
}

interface Served {
  readonly rewards: RewardsSpec
  readonly questions: ReadonlyArray<Question>
}

const ofManifest = Effect.fnUntraced(function* (file: string, set: ReadonlyArray<string>) {
  const { directory, manifest } = yield* load(file, set)
  const seed = Seed.child(Seed.root(manifest.seed), "questions")
  const { sets } = yield* loadQuestions(manifest.questions, seed, directory)
  const served: Served = {
    rewards: manifest.rewards,
    questions: [...sets.train, ...Object.values(sets.evaluation).flat()]
  }
  return served
})

const ofOptions = ({ accuracy, answer, format }: ServeRewardsOptions) =>
  Schema.decodeUnknownEffect(RewardsSpec)({ accuracy, answer, format }).pipe(
    Effect.mapError((error) => new UsageError({ reason: error.message })),
    Effect.map((rewards): Served => ({ rewards, questions: [] }))
  )

/** Starts the server, prints where it is reached as the first line, and keeps it until it is told to stop. */
export const serveRewards = Effect.fn("gradus.serve.rewards")(function* (options: ServeRewardsOptions) {
  const { questions, rewards } = yield* options.manifest === undefined
    ? ofOptions(options)
    : ofManifest(options.manifest, options.set)
  const { scorer } = yield* Engines
  const server = RewardServer.layer({ rewards, questions, port: options.port }).pipe(Layer.provide(scorer(rewards)))
  const serve = Effect.gen(function* () {
    const { token, url } = yield* RewardServer
    yield* printJson({ url, token: token === null ? null : Redacted.value(token), pid: process.pid })
    yield* say(`serving; ${url}/docs says how; Ctrl-C stops it`)
    return yield* Effect.never
  })
  return yield* Effect.provide(serve, server)
})
