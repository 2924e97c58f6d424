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
import { rewardsOf } from "./Score.ts"
import { serverOptions, type ServeRewardsOptions } from "./ServeRewardsOptions.ts"

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

const DEFAULTS = Schema.decodeSync(RewardsSpec)({})

const ofOptions = Effect.fnUntraced(function* (options: ServeRewardsOptions) {
  const { accuracy = DEFAULTS.accuracy, answer = DEFAULTS.answer, format = DEFAULTS.format } = options
  if (accuracy === "judge")
    return yield* new UsageError({
      reason: "--accuracy judge: a judge is described by a manifest (rewards.judge): gradus serve rewards MANIFEST"
    })
  const rewards = yield* rewardsOf({
    accuracy,
    answer,
    format,
    judgeUrl: undefined,
    judgeModel: undefined,
    judgeKeyEnv: undefined
  })
  return { rewards, questions: [] } satisfies Served
})

/** Starts the server, prints where it is reached as the first line, and keeps it until it is told to stop. A token that was given is named, not shown. */
export const serveRewards = Effect.fn("gradus.serve.rewards")(function* (options: ServeRewardsOptions) {
  const listening = yield* serverOptions(options)
  const { questions, rewards } = yield* options.manifest === undefined
    ? ofOptions(options)
    : ofManifest(options.manifest, options.set)
  const { scorer } = yield* Engines
  const server = RewardServer.layer({ ...listening, rewards, questions }).pipe(Layer.provide(scorer(rewards)))
  const serve = Effect.gen(function* () {
    const { token, url } = yield* RewardServer
    const { tokenEnv } = options
    const secret = tokenEnv === undefined ? { token: token && Redacted.value(token) } : { token_env: tokenEnv }
    yield* printJson({ url, ...secret, pid: process.pid })
    yield* say(`serving; ${url}/docs says how; Ctrl-C stops it`)
    return yield* Effect.never
  })
  return yield* Effect.provide(serve, server)
})
