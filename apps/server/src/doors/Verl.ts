/** verl's discriminative reward model: `/classify` as vLLM serves it. A text in, the share of right as the last probability out. */
import type { ScoreRequest } from "@gradus/domain/Score"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { NotGradable } from "../RewardProblem.ts"
import { completionAfter } from "../Truths.ts"
import { type DoorOptions, goldText, requestOf } from "./Door.ts"

export const VerlRequest = Schema.Struct({
  model: Schema.optional(Schema.NullOr(Schema.String)),
  /** The whole conversation, rendered by the chat template; or only the completion where `ground_truth` is said. */
  input: Schema.Union([Schema.String, Schema.Array(Schema.String)]),
  activation: Schema.optional(Schema.Boolean),
  /** Beyond vLLM's interface: what is right, for callers that know it. One, or one for each input. */
  ground_truth: Schema.optional(Schema.Json),
  question: Schema.optional(Schema.NullOr(Schema.String))
})
export type VerlRequest = typeof VerlRequest.Type

export const VerlResponse = Schema.Struct({
  id: Schema.String,
  object: Schema.Literal("list"),
  model: Schema.String,
  data: Schema.Array(
    Schema.Struct({
      index: Schema.Int,
      label: Schema.String,
      probs: Schema.Array(Schema.Finite),
      num_classes: Schema.Int
    })
  ),
  usage: Schema.Struct({ prompt_tokens: Schema.Int, total_tokens: Schema.Int })
})
export type VerlResponse = typeof VerlResponse.Type

const goldAt = (truth: unknown, i: number): string | undefined => goldText(Array.isArray(truth) ? truth[i] : truth)

/** Reads the texts; where no truth is said each must hold a known question. */
export const verlRequests = (
  options: DoorOptions,
  { input, ground_truth, question }: VerlRequest
): Result.Result<ReadonlyArray<ScoreRequest>, NotGradable> => {
  const texts = typeof input === "string" ? [input] : input
  if (Array.isArray(ground_truth) && ground_truth.length !== texts.length) {
    return Result.fail(NotGradable.of(`input and ground_truth have lengths ${texts.length}, ${ground_truth.length}`))
  }
  return Result.all(
    texts.map((text, i): Result.Result<ScoreRequest, NotGradable> => {
      const own = goldAt(ground_truth, i)
      const found = own === undefined ? options.truths(text) : undefined
      const gold = own ?? found?.question.gold
      if (gold === undefined)
        return Result.fail(NotGradable.of(`input ${i}: no ground_truth, and no known question in it`))
      return Result.succeed(
        requestOf({
          id: `${i}`,
          question: found?.question.question ?? question ?? undefined,
          gold,
          completion: completionAfter(found?.rest ?? text),
          thinking: found?.question.thinking ?? options.thinking
        })
      )
    })
  )
}

/** Writes the rewards as vLLM writes one class. */
export const verlResponse = (model: string, rewards: ReadonlyArray<number>): VerlResponse => ({
  id: "classify",
  object: "list",
  model,
  data: rewards.map((reward, index) => ({ index, label: "reward", probs: [reward], num_classes: 1 })),
  usage: { prompt_tokens: 0, total_tokens: 0 }
})
