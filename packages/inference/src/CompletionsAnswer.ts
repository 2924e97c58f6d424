/** What `/v1/completions` answers (vLLM's form, docs/trainer-protocol.md "Embedded generation"), decoded; long arrays are checked in one pass. */
import * as Schema from "effect/Schema"

const isTokens = (value: unknown): value is ReadonlyArray<number> =>
  Array.isArray(value) && value.every((token) => Number.isSafeInteger(token) && token >= 0)

const isLogprobs = (value: unknown): value is ReadonlyArray<number | null> =>
  Array.isArray(value) && value.every((logprob) => logprob === null || typeof logprob === "number")

const Tokens = Schema.declare(isTokens, { expected: "an array of token ids" })
const Logprobs = Schema.declare(isLogprobs, { expected: "an array of numbers or null" })

export const Choice = Schema.Struct({
  /** j·n + i for sample i of prompt j. */
  index: Schema.Int,
  text: Schema.String,
  finish_reason: Schema.NullOr(Schema.String),
  token_ids: Schema.optionalKey(Schema.NullOr(Tokens)),
  prompt_token_ids: Schema.optionalKey(Schema.NullOr(Tokens)),
  logprobs: Schema.optionalKey(Schema.NullOr(Schema.Struct({ token_logprobs: Logprobs })))
})
export type Choice = typeof Choice.Type

export const CompletionsAnswer = Schema.Struct({
  choices: Schema.Array(Choice),
  model: Schema.optionalKey(Schema.NullOr(Schema.String)),
  /** Only the trainer says it. */
  policy_version: Schema.optionalKey(Schema.NullOr(Schema.Int))
})
export type CompletionsAnswer = typeof CompletionsAnswer.Type

export const ModelList = Schema.Struct({ data: Schema.Array(Schema.Struct({ id: Schema.String })) })

/** A JSON string, or one of the words that Python writes for numbers that JSON does not have. */
const STRING_OR_WORD = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g

/** Parses JSON in which numbers may also be NaN or Infinity, as Python writes them: those become null. Throws a SyntaxError for anything else. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return JSON.parse(text.replace(STRING_OR_WORD, (found) => (found.startsWith('"') ? found : "null")))
  }
}
