/** slime's remote reward model: `--rm-type remote_rm --rm-url http://host:port/rm`, one sample a call, answered with a number. */
import type { ScoreRequest } from "@gradus/domain/Score"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { NotGradable } from "../RewardProblem.ts"
import { type DoorOptions, goldText, questionText, requestOf } from "./Door.ts"

export const SlimeRequest = Schema.Struct({
  /** A text, or a list of chat messages. */
  prompt: Schema.optional(Schema.Json),
  response: Schema.String,
  label: Schema.optional(Schema.Json)
})
export type SlimeRequest = typeof SlimeRequest.Type

/** Reads a sample; without a label the prompt must hold a known question. */
export const slimeRequest = (
  options: DoorOptions,
  { prompt, response, label }: SlimeRequest
): Result.Result<ScoreRequest, NotGradable> => {
  const question = questionText(prompt)
  const own = goldText(label)
  const known = own === undefined && question !== undefined ? options.truths(question)?.question : undefined
  const gold = own ?? known?.gold
  if (gold === undefined) return Result.fail(NotGradable.of("no label, and no known question in the prompt"))
  const thinking = known?.thinking ?? options.thinking
  return Result.succeed(
    requestOf({ id: "response", question: known?.question ?? question, gold, completion: response, thinking })
  )
}
