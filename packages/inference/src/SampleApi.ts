/** Samples of one question from an OpenAI-compatible server, as texts: requests written, answers read. Pure; needs no token ids and no log-probabilities. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { parseJson } from "./CompletionsAnswer.ts"

/** Which route is asked: `/v1/chat/completions` with the question as the user's message, or `/v1/completions` with it as the prompt. */
export type SampleRoute = "chat" | "completions"

/** What is the same in every request. */
export interface SampleSpec {
  readonly api: SampleRoute
  readonly model: string
  /** System message (chat), or text before the prompt (completions). */
  readonly system?: string | undefined
  readonly temperature: number
  readonly max_tokens: number
}

export interface SampledText {
  readonly text: string
  /** What the server took out as the thought, where its parser does that. */
  readonly reasoning: string | null
  readonly finish_reason: string | null
}

export interface SampledTexts {
  /** In the order of their indices. */
  readonly texts: ReadonlyArray<SampledText>
  /** Of the whole request; null where the server does not say. */
  readonly prompt_tokens: number | null
  readonly completion_tokens: number | null
}

/** Completes an endpoint as people write it (host, `…/v1`, or a whole route) to its base, which ends without a slash. */
export const baseUrl = (endpoint: string): string => {
  const base = endpoint.replace(/\/+$/, "").replace(/\/(?:chat\/)?completions$/, "")
  return /^https?:\/\/[^/]+$/.test(base) ? `${base}/v1` : base
}

/** The address as errors and files show it: without a user and password. */
export const shownUrl = (url: string): string => url.replace(/^(https?:\/\/)[^/]*@/, "$1")

/** The address that samples are asked at. */
export const sampleUrl = (endpoint: string, api: SampleRoute): string =>
  `${baseUrl(endpoint)}${api === "chat" ? "/chat/completions" : "/completions"}`

/** The address at which a server lists its models: any answer shows that it is there. */
export const modelsUrl = (endpoint: string): string => `${baseUrl(endpoint)}/models`

/** How a server calls the limit of a completion; some models know only the second. */
export type LimitKey = "max_tokens" | "max_completion_tokens"

/** Writes a request for `n` samples of a question. With one sample `n` is left out: some servers refuse the key. */
export const sampleBody = (
  spec: SampleSpec,
  question: string,
  n: number,
  seed: number | undefined,
  limit: LimitKey = "max_tokens"
): string => {
  const { api, max_tokens, model, system, temperature } = spec
  const messages = [
    ...(system === undefined ? [] : [{ role: "system", content: system }]),
    { role: "user", content: question }
  ]
  return JSON.stringify({
    model,
    ...(api === "chat" ? { messages } : { prompt: system === undefined ? question : `${system}${question}` }),
    ...(n === 1 ? {} : { n }),
    temperature,
    [limit]: max_tokens,
    ...(seed === undefined ? {} : { seed })
  })
}

interface Choice {
  readonly index?: number | null
  readonly finish_reason?: string | null
  /** Of a chat. Content is null where there is nothing but a thought. */
  readonly message?: {
    readonly content?: string | null
    readonly reasoning_content?: string | null
    readonly reasoning?: string | null
  } | null
  /** Of a completion. */
  readonly text?: string | null
}

interface Usage {
  readonly prompt_tokens?: number | null
  readonly completion_tokens?: number | null
}

interface SampleAnswer {
  readonly choices: ReadonlyArray<Choice>
  readonly usage?: Usage | null
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const isText = (value: unknown): boolean => value === undefined || value === null || typeof value === "string"
const isCount = (value: unknown): boolean =>
  value === undefined || value === null || (Number.isSafeInteger(value) && Number(value) >= 0)

const isMessage = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (isObject(value) && isText(value["content"]) && isText(value["reasoning_content"]) && isText(value["reasoning"]))

const isChoice = (value: unknown): boolean =>
  isObject(value) &&
  isCount(value["index"]) &&
  isText(value["finish_reason"]) &&
  isText(value["text"]) &&
  isMessage(value["message"])

const isUsage = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (isObject(value) && isCount(value["prompt_tokens"]) && isCount(value["completion_tokens"]))

const isAnswer = (value: unknown): value is SampleAnswer =>
  isObject(value) && Array.isArray(value["choices"]) && value["choices"].every(isChoice) && isUsage(value["usage"])

/** Checked in one pass: field by field it would take as long as parsing. */
const decode = Schema.decodeUnknownResult(
  Schema.declare(isAnswer, { expected: "an object with choices, each with a message or a text" })
)

const byIndex = (a: Choice, b: Choice): number => (a.index ?? 0) - (b.index ?? 0)

const textOf = (api: SampleRoute, choice: Choice): SampledText | undefined => {
  const finish_reason = choice.finish_reason ?? null
  if (api === "completions")
    return typeof choice.text === "string" ? { text: choice.text, reasoning: null, finish_reason } : undefined
  if (choice.message === undefined || choice.message === null) return undefined
  const { content, reasoning, reasoning_content } = choice.message
  return { text: content ?? "", reasoning: reasoning_content ?? reasoning ?? null, finish_reason }
}

/** Reads an answer, or says why it is none. Fewer choices than were asked for are an answer; none is not. */
export const readSamples = (api: SampleRoute, body: string): Result.Result<SampledTexts, string> => {
  let json: unknown
  try {
    json = parseJson(body)
  } catch (cause) {
    return Result.fail(`the answer is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
  const decoded = decode(json)
  if (Result.isFailure(decoded)) {
    const [reason = ""] = decoded.failure.message.split("\n", 1)
    return Result.fail(`the answer has another form: ${reason.slice(0, 200)}`)
  }
  const { choices, usage } = decoded.success
  const texts = choices.toSorted(byIndex).flatMap((choice) => textOf(api, choice) ?? [])
  if (texts.length === 0) return Result.fail(`the answer has no ${api === "chat" ? "message" : "text"} in its choices`)
  return Result.succeed({
    texts,
    prompt_tokens: usage?.prompt_tokens ?? null,
    completion_tokens: usage?.completion_tokens ?? null
  })
}
