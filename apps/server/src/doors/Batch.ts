/** Our own door: completions in, scores out, in the same order. */
import { Score, ScoreRequest } from "@gradus/domain/Score"
import * as Schema from "effect/Schema"

export const BatchRequest = Schema.Struct({ requests: Schema.Array(ScoreRequest) })
export type BatchRequest = typeof BatchRequest.Type

/** `value` is null where nobody can say: it is no 0. */
export const BatchResponse = Schema.Struct({
  scores: Schema.Array(Schema.Struct({ id: Schema.String, ...Score.fields }))
})
export type BatchResponse = typeof BatchResponse.Type

/** Puts ids beside scores. */
export const batchResponse = (requests: ReadonlyArray<ScoreRequest>, scores: ReadonlyArray<Score>): BatchResponse => ({
  scores: scores.map((score, i) => ({ id: requests[i]?.id ?? `${i}`, ...score }))
})
