/**
 * A reward server by rules as a process of its own, for benches and for tests of other languages: prints its address and token as one
 * line of JSON, and ends with its standard input. Usage: node serve.ts [accuracy] [format]
 */
import { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import { needsNoJudge } from "@gradus/rewards/Score"
import { Scorer } from "@gradus/rewards/service/Scorer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { RewardServer } from "../src/RewardServer.ts"

const [accuracy = "numeric", format = "thinking"] = process.argv.slice(2)

const main = Effect.gen(function* () {
  const rewards = yield* Schema.decodeUnknownEffect(RewardsSpec)({ accuracy, format })
  if (!needsNoJudge(rewards)) return yield* Effect.die(new Error("this process has no judge"))
  const serve = Effect.gen(function* () {
    const { url, token } = yield* RewardServer
    process.stdout.write(`${JSON.stringify({ url, token: token === null ? null : Redacted.value(token) })}\n`)
    yield* Effect.callback<void>((resume) => {
      process.stdin.resume().once("end", () => resume(Effect.void))
    })
  })
  yield* Effect.provide(serve, RewardServer.layer({ rewards, port: 0 }).pipe(Layer.provide(Scorer.layer(rewards))))
})

NodeRuntime.runMain(main)
