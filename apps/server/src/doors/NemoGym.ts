/** NeMo Gym's resources server: `/seed_session` before a rollout and `/verify` after it. */
import type { Score, ScoreRequest } from "@gradus/domain/Score"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { NotGradable } from "../RewardProblem.ts"
import { type DoorOptions, goldText, messageText, questionText, requestOf } from "./Door.ts"

/** The task's own fields stay in the body and come back with the answer. */
export const GymVerifyRequest = Schema.StructWithRest(
  Schema.Struct({
    responses_create_params: Schema.StructWithRest(Schema.Struct({ input: Schema.optional(Schema.Json) }), [
      Schema.Record(Schema.String, Schema.Json)
    ]),
    /** A response of the OpenAI Responses interface. */
    response: Schema.StructWithRest(Schema.Struct({ output: Schema.Array(Schema.Json) }), [
      Schema.Record(Schema.String, Schema.Json)
    ])
  }),
  [Schema.Record(Schema.String, Schema.Json)]
)
export type GymVerifyRequest = typeof GymVerifyRequest.Type

export const GymVerifyResponse = Schema.Record(Schema.String, Schema.Json)
export type GymVerifyResponse = typeof GymVerifyResponse.Type

/** Where tasks keep their truth. */
const GOLD_KEYS = ["expected_answer", "ground_truth", "gold", "label", "answer", "solution"] as const

const goldOf = (body: Readonly<Record<string, unknown>>): string | undefined => {
  const metadata = body["verifier_metadata"]
  const places = [body, ...(Predicate.isObject(metadata) ? [metadata as Readonly<Record<string, unknown>>] : [])]
  return places.flatMap((place) => GOLD_KEYS.map((key) => goldText(place[key]))).find((gold) => gold !== undefined)
}

const items = (output: ReadonlyArray<unknown>, type: string): ReadonlyArray<Readonly<Record<string, unknown>>> =>
  output.flatMap((item) => (Predicate.hasProperty(item, "type") && item.type === type ? [{ ...item }] : []))

/** The completion as one text: reasoning items are the thought. */
const completionOf = (output: ReadonlyArray<unknown>): string => {
  const thoughts = items(output, "reasoning").map(
    (item) => messageText(item["summary"]) || messageText(item["content"])
  )
  const texts = items(output, "message").map((item) => messageText(item["content"]))
  const thought = thoughts.join("\n")
  return (thought === "" ? "" : `<think>${thought}</think>`) + texts.join("\n")
}

/** Reads a rollout. */
export const gymRequest = (options: DoorOptions, body: GymVerifyRequest): Result.Result<ScoreRequest, NotGradable> => {
  const question = questionText(body.responses_create_params.input)
  const own = goldOf(body)
  const known = own === undefined && question !== undefined ? options.truths(question)?.question : undefined
  const gold = own ?? known?.gold
  if (gold === undefined) return Result.fail(NotGradable.of(`none of ${GOLD_KEYS.join(", ")}, and no known question`))
  const thinking = known?.thinking ?? options.thinking
  return Result.succeed(
    requestOf({ id: "response", question, gold, completion: completionOf(body.response.output), thinking })
  )
}

/** Writes the body back with the reward, its parts together, and its parts as numbers of their own, from which Gym makes metrics. */
export const gymResponse = (body: GymVerifyRequest, reward: number, score: Score): GymVerifyResponse => ({
  ...body,
  ...score.components,
  reward,
  reward_components: { ...score.components },
  extracted_answer: score.answer
})
