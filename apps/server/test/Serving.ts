/** A reward server for tests: real HTTP on a free port, a scorer by rules, and requests as other programs send them. */
import { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import { needsNoJudge } from "@gradus/rewards/Score"
import { Scorer } from "@gradus/rewards/service/Scorer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { RewardServer, type RewardServerOptions } from "../src/RewardServer.ts"

export const rewards = (written: typeof RewardsSpec.Encoded = {}): RewardsSpec =>
  Schema.decodeSync(RewardsSpec)(written)

export const NUMERIC = rewards({ accuracy: "numeric" })

export const byRules = (spec: RewardsSpec): Layer.Layer<Scorer> => {
  if (!needsNoJudge(spec)) throw new Error("a spec that needs a judge")
  return Scorer.layer(spec)
}

export const serving = (options: Partial<RewardServerOptions> = {}, scorer?: Layer.Layer<Scorer>) => {
  const spec = options.rewards ?? NUMERIC
  return RewardServer.layer({ rewards: spec, port: 0, token: Redacted.make("secret"), ...options }).pipe(
    Layer.provide(scorer ?? byRules(spec))
  )
}

export interface Answer {
  readonly status: number
  readonly type: string | null
  readonly body: any
}

/** Sends a request with the server's token, unless another is given. */
export const send = (path: string, body?: unknown, init: RequestInit = {}) =>
  Effect.gen(function* () {
    const { url, token } = yield* RewardServer
    const authorization = token === null ? {} : { authorization: `Bearer ${Redacted.value(token)}` }
    return yield* Effect.promise(async (signal): Promise<Answer> => {
      const response = await fetch(`${url}${path}`, {
        signal,
        ...(body === undefined ? {} : { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) }),
        ...init,
        headers: { "content-type": "application/json", ...authorization, ...init.headers }
      })
      const text = await response.text()
      const type = response.headers.get("content-type")
      return { status: response.status, type, body: type?.includes("json") === true ? JSON.parse(text) : text }
    })
  })
