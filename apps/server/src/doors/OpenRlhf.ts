/** OpenRLHF's remote reward model: `--remote_rm_url http://host:port/get_reward`. */
import type { Score, ScoreRequest } from "@gradus/domain/Score"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { NotGradable, type Unscored } from "../RewardProblem.ts"
import { completionAfter } from "../Truths.ts"
import { type DoorOptions, goldText, numberOf, requestOf } from "./Door.ts"

export const OpenRlhfRequest = Schema.Struct({
  /** Prompt and completion in one text, as the model saw it. */
  query: Schema.Array(Schema.String),
  prompts: Schema.optional(Schema.NullOr(Schema.Array(Schema.String))),
  labels: Schema.optional(Schema.NullOr(Schema.Array(Schema.Json)))
})
export type OpenRlhfRequest = typeof OpenRlhfRequest.Type

export const OpenRlhfResponse = Schema.Struct({
  rewards: Schema.Array(Schema.Finite),
  /** In [0, 1], for dynamic filtering. */
  scores: Schema.Array(Schema.Finite),
  extra_logs: Schema.Record(Schema.String, Schema.Array(Schema.Finite))
})
export type OpenRlhfResponse = typeof OpenRlhfResponse.Type

/** Reads a batch; its lists must be of one length. A completion is its query without the prompt that it begins with. */
export const openRlhfRequests = (
  options: DoorOptions,
  { query, prompts, labels }: OpenRlhfRequest
): Result.Result<ReadonlyArray<ScoreRequest>, NotGradable> => {
  const lengths = [query.length, prompts?.length ?? query.length, labels?.length ?? query.length]
  if (new Set(lengths).size > 1) {
    return Result.fail(NotGradable.of(`query, prompts and labels have lengths ${lengths.join(", ")}`))
  }
  return Result.all(
    query.map((text, i): Result.Result<ScoreRequest, NotGradable> => {
      const prompt = prompts?.[i]
      // a data set without a label column arrives with blank labels
      const said = goldText(labels?.[i])
      const label = said?.trim() === "" ? undefined : said
      const found = label === undefined ? options.truths(text) : undefined
      const gold = label ?? found?.question.gold
      if (gold === undefined) return Result.fail(NotGradable.of(`query ${i}: no label, and no known question in it`))
      const begins = prompt !== undefined && text.startsWith(prompt)
      return Result.succeed(
        requestOf({
          id: `${i}`,
          question: found?.question.question ?? prompt,
          gold,
          completion: completionAfter(begins ? text.slice(prompt.length) : (found?.rest ?? text)),
          thinking: found?.question.thinking ?? options.thinking
        })
      )
    })
  )
}

const component = (scores: ReadonlyArray<Score>, name: "accuracy" | "format"): ReadonlyArray<number> =>
  scores.map(({ components }) => components[name] ?? 0)

/** Writes the rewards; the parts go to the log. */
export const openRlhfResponse = (
  options: DoorOptions,
  scores: ReadonlyArray<Score>
): Result.Result<OpenRlhfResponse, NotGradable | Unscored> =>
  Result.map(Result.all(scores.map((score, i) => numberOf(options, `query ${i}`, score))), (rewards) => ({
    rewards,
    scores: rewards.map((reward) => Math.min(1, Math.max(0, reward))),
    extra_logs: {
      accuracy: component(scores, "accuracy"),
      format: component(scores, "format"),
      unscored: scores.map(({ value }) => (value === null ? 1 : 0))
    }
  }))
