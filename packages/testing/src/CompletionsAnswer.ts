/** The answer to a completions request, in vLLM's form: choice j·n + i is sample i of prompt j, with token ids and log-probabilities. */
import * as Schema from "effect/Schema"

const Ids = Schema.Array(Schema.Int)

export const CompletionsRequest = Schema.Struct({
  model: Schema.String,
  prompt: Schema.Union([Schema.String, Schema.Array(Schema.String), Ids, Schema.Array(Ids)]),
  n: Schema.optionalKey(Schema.Int),
  seed: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  max_tokens: Schema.optionalKey(Schema.Int),
  temperature: Schema.optionalKey(Schema.Finite),
  logprobs: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  return_token_ids: Schema.optionalKey(Schema.Boolean),
  stop_token_ids: Schema.optionalKey(Ids),
  gradus: Schema.optionalKey(Schema.Struct({ group_seeds: Ids }))
})
export type CompletionsRequest = typeof CompletionsRequest.Type

/** A prompt as it was sent: a text, or token ids. */
export type Prompt = string | ReadonlyArray<number>

/** Says what a prompt is answered with: n texts. `seed` is the prompt's own (null when none was sent). */
export type Answers = (prompt: Prompt, n: number, seed: number | null) => ReadonlyArray<string>

export interface Choice {
  readonly index: number
  readonly text: string
  readonly finish_reason: string | null
  readonly token_ids: ReadonlyArray<number> | null
  readonly prompt_token_ids: ReadonlyArray<number> | null
  readonly logprobs: { readonly token_logprobs: ReadonlyArray<number | null> } | null
}

/** The token that ends a completion; a text's other tokens are its UTF-16 code units. */
export const END_TOKEN = 0

/** Turns a text into this server's tokens, one a UTF-16 code unit. */
export const tokensOf = (text: string): ReadonlyArray<number> =>
  Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))

/** The log-probability that this server says for a token at a position: -(token mod 7 + 1) / (position + 8), exact to compare with. */
export const logprobOf = (token: number, position: number): number => -((token % 7) + 1) / (position + 8)

const isIds = (prompt: CompletionsRequest["prompt"]): prompt is ReadonlyArray<number> =>
  typeof prompt !== "string" && prompt.length > 0 && typeof prompt[0] === "number"

const listPrompts = (prompt: CompletionsRequest["prompt"]): ReadonlyArray<Prompt> =>
  typeof prompt === "string" || isIds(prompt) ? [prompt] : (prompt as ReadonlyArray<Prompt>)

/** Counts the prompts of a request. */
export const countPrompts = (prompt: CompletionsRequest["prompt"]): number => listPrompts(prompt).length

const choiceOf = (request: CompletionsRequest, prompt: Prompt, text: string, index: number, first: boolean): Choice => {
  const whole = [...tokensOf(text), END_TOKEN]
  const limit = request.max_tokens ?? 16
  const tokens = whole.slice(0, limit)
  const cut = whole.length > limit
  const ids = request.return_token_ids === true
  return {
    index,
    text: cut ? text.slice(0, limit) : text,
    finish_reason: cut ? "length" : "stop",
    token_ids: ids ? tokens : null,
    prompt_token_ids: ids && first ? (typeof prompt === "string" ? tokensOf(prompt) : prompt) : null,
    logprobs: typeof request.logprobs === "number" ? { token_logprobs: tokens.map(logprobOf) } : null
  }
}

const seedOf = (request: CompletionsRequest, j: number, n: number): number | null => {
  const own = request.gradus?.group_seeds[j]
  if (own !== undefined) return own
  return typeof request.seed === "number" ? request.seed + j * n : null
}

/** Makes the right answer to a request. Completions longer than `max_tokens` (default 16) are cut and say `length`. */
export const completionsAnswer = (request: CompletionsRequest, answers: Answers, policyVersion: number | undefined) => {
  const n = request.n ?? 1
  const prompts = listPrompts(request.prompt)
  const choices = prompts.flatMap((prompt, j) =>
    answers(prompt, n, seedOf(request, j, n)).map((text, i) => choiceOf(request, prompt, text, j * n + i, i === 0))
  )
  const promptTokens = prompts.reduce((sum, prompt) => sum + prompt.length, 0)
  const completionTokens = choices.reduce((sum, choice) => sum + (choice.token_ids?.length ?? choice.text.length), 0)
  return {
    id: "cmpl-loopback",
    object: "text_completion",
    created: 0,
    model: request.model,
    ...(policyVersion === undefined ? {} : { policy_version: policyVersion }),
    choices,
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens
    }
  }
}

/** A change to an answer's choices that makes it wrong though well-formed. */
export interface CompletionsTwist {
  readonly kind: "twist"
  readonly change: (choices: ReadonlyArray<Choice>) => ReadonlyArray<Choice>
}

const twist = (change: CompletionsTwist["change"]): CompletionsTwist => ({ kind: "twist", change })

/** Leaves out the last choice. */
export const fewerChoices = twist((choices) => choices.slice(0, -1))

/** Adds a choice that nobody asked for. */
export const moreChoices = twist((choices) => [
  ...choices,
  ...choices.slice(-1).map((choice) => ({ ...choice, index: choice.index + 1 }))
])

/** Says no choices at all. */
export const noChoices = twist(() => [])

/** Says the first choice twice, under one index, in place of the last. */
export const duplicateChoice = twist((choices) => [...choices.slice(0, -1), ...choices.slice(0, 1)])

/** Says the choices in reverse order; their indices stay right. */
export const reversedChoices = twist((choices) => choices.toReversed())

/** Makes every log-probability of the first choice null, as servers write NaN. */
export const nullLogprobs = twist((choices) =>
  choices.map((choice, i) =>
    i === 0 && choice.logprobs !== null
      ? { ...choice, logprobs: { token_logprobs: choice.logprobs.token_logprobs.map(() => null) } }
      : choice
  )
)

/** Leaves out the log-probability of each choice's last token. */
export const shortLogprobs = twist((choices) =>
  choices.map((choice) =>
    choice.logprobs === null
      ? choice
      : { ...choice, logprobs: { token_logprobs: choice.logprobs.token_logprobs.slice(0, -1) } }
  )
)
