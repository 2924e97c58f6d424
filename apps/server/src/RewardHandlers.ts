/** What each door does: read, score, write. No door raises for one bad sample unless it can only say numbers. */
import type { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import type { Score, ScoreRequest } from "@gradus/domain/Score"
import { Scorer } from "@gradus/rewards/service/Scorer"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Result from "effect/Result"
import { batchResponse } from "./doors/Batch.ts"
import { graderRequest, graderResponse, rightness } from "./doors/ChatGrader.ts"
import { type DoorOptions, numberOf } from "./doors/Door.ts"
import { gymRequest, gymResponse } from "./doors/NemoGym.ts"
import { openRlhfRequests, openRlhfResponse } from "./doors/OpenRlhf.ts"
import { slimeRequest } from "./doors/Slime.ts"
import { verlRequests, verlResponse } from "./doors/Verl.ts"
import { RewardApi } from "./RewardApi.ts"
import { BatchTooLarge, NotGradable } from "./RewardProblem.ts"

export interface Grading extends DoorOptions {
  readonly rewards: RewardsSpec
  readonly batchLimit: number
  readonly bodyLimit: number
  readonly questions: number
}

const MODEL = "gradus-rewards"

/** Handlers of the doors, around the scorer that is provided. */
export const doorsLayer = (grading: Grading) =>
  HttpApiBuilder.group(
    RewardApi,
    "doors",
    Effect.fn(function* (handlers) {
      const { score } = yield* Scorer

      const scoreAll = Effect.fnUntraced(function* (requests: ReadonlyArray<ScoreRequest>) {
        if (requests.length > grading.batchLimit) return yield* BatchTooLarge.of(requests.length, grading.batchLimit)
        return yield* score(requests)
      })

      const scoreOne = Effect.fnUntraced(function* (request: ScoreRequest) {
        const [own] = yield* score([request])
        // A scorer answers every request; the check is for the type.
        return own ?? (yield* Effect.die(new Error("the scorer gave no score")))
      })

      const number = (id: string, scored: Score) => Effect.fromResult(numberOf(grading, id, scored))

      return handlers.handleAll({
        score: Effect.fn("doors.score")(function* ({ payload: { requests } }) {
          return batchResponse(requests, yield* scoreAll(requests))
        }),
        info: () =>
          Effect.succeed({
            name: "gradus" as const,
            accuracy: grading.rewards.accuracy,
            answer: grading.rewards.answer,
            format: grading.rewards.format,
            compose: grading.rewards.compose,
            batch_limit: grading.batchLimit,
            body_limit: grading.bodyLimit,
            questions: grading.questions
          }),
        getReward: Effect.fn("doors.getReward")(function* ({ payload }) {
          const requests = yield* Effect.fromResult(openRlhfRequests(grading, payload))
          const scores = yield* scoreAll(requests)
          return yield* Effect.fromResult(openRlhfResponse(grading, scores))
        }),
        rm: Effect.fn("doors.rm")(function* ({ payload }) {
          const request = yield* Effect.fromResult(slimeRequest(grading, payload))
          return yield* number(request.id, yield* scoreOne(request))
        }),
        seedSession: () => Effect.succeed({}),
        verify: Effect.fn("doors.verify")(function* ({ payload }) {
          const request = yield* Effect.fromResult(gymRequest(grading, payload))
          const scored = yield* scoreOne(request)
          return gymResponse(payload, yield* number(request.id, scored), scored)
        }),
        classify: Effect.fn("doors.classify")(function* ({ payload }) {
          const requests = yield* Effect.fromResult(verlRequests(grading, payload))
          const scores = yield* scoreAll(requests)
          const rewards = yield* Effect.fromResult(
            Result.all(scores.map((scored, i) => numberOf(grading, `input ${i}`, scored)))
          )
          return verlResponse(payload.model ?? MODEL, rewards)
        }),
        grade: Effect.fn("doors.grade")(function* ({ payload }) {
          const { request, reply } = yield* Effect.fromResult(graderRequest(grading, payload))
          if (grading.rewards.accuracy === "none") return yield* NotGradable.of("accuracy is none: nothing to grade by")
          const scored = yield* scoreOne(request)
          const value = yield* number(request.id, scored)
          return graderResponse(payload.model, reply, rightness(scored, value))
        })
      })
    })
  )

/** Handlers of what anybody may ask. */
export const healthLayer = HttpApiBuilder.group(
  RewardApi,
  "health",
  Effect.fn(function* (handlers) {
    return handlers.handle("healthz", () => Effect.succeed({ status: "ok" as const }))
  })
)
