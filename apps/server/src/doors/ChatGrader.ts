/** A grader that looks like a chat model: for callers that ask a judge over `/v1/chat/completions` (Inspect, verl's generative reward models, our own judge). */
import type { Score, ScoreRequest } from "@gradus/domain/Score"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { NotGradable } from "../RewardProblem.ts"
import { type DoorOptions, messageText, requestOf } from "./Door.ts"

export const GraderRequest = Schema.Struct({
  model: Schema.String,
  messages: Schema.Array(Schema.Struct({ role: Schema.String, content: Schema.Json })),
  /** With a schema the verdict is said as JSON. */
  response_format: Schema.optional(Schema.Json)
})
export type GraderRequest = typeof GraderRequest.Type

export const GraderResponse = Schema.Struct({
  id: Schema.String,
  object: Schema.Literal("chat.completion"),
  created: Schema.Int,
  model: Schema.String,
  choices: Schema.Array(
    Schema.Struct({
      index: Schema.Int,
      finish_reason: Schema.Literal("stop"),
      message: Schema.Struct({ role: Schema.Literal("assistant"), content: Schema.String })
    })
  ),
  usage: Schema.Struct({ prompt_tokens: Schema.Int, completion_tokens: Schema.Int, total_tokens: Schema.Int })
})
export type GraderResponse = typeof GraderResponse.Type

/** How the caller reads a verdict: `GRADE: C`, one word, or JSON. */
export type Reply = "grade" | "word" | "json"

export interface ToGrade {
  readonly request: ScoreRequest
  readonly reply: Reply
}

interface Parts {
  readonly question: string | undefined
  readonly gold: string
  readonly completion: string
  readonly reply: Reply
}

const Item = Schema.fromJsonString(
  Schema.Struct({ question: Schema.optionalKey(Schema.String), gold: Schema.String, completion: Schema.String })
)
const decodeItem = Schema.decodeUnknownOption(Item)

/** `{"question", "gold", "completion"}` as the whole message. */
const fromJson = (text: string): Parts | undefined =>
  Option.getOrUndefined(
    Option.map(decodeItem(text), (item) => ({
      question: item.question,
      gold: item.gold,
      completion: item.completion,
      reply: "grade" as const
    }))
  )

/** A line that separates the blocks of Inspect's template. */
const RULER = "\n***\n"
const LAST_BLOCKS = ["[Criterion]:", "[Expert]:"] as const

/** Inspect's template. The criterion is its last block: one that a submission pretends to have stands before it. */
const fromInspect = (text: string): Parts | undefined => {
  const task = text.indexOf("[Task]:")
  const submission = text.indexOf(`${RULER}[Submission]:`, task)
  const [last, name] = LAST_BLOCKS.map((block) => [text.lastIndexOf(RULER + block), block] as const).reduce((a, b) =>
    b[0] > a[0] ? b : a
  )
  const end = text.indexOf(`${RULER}[END DATA]`, last)
  if (task < 0 || submission < 0 || last < submission || end < 0) return undefined
  const within = (from: number, opening: string, to: number): string => text.slice(from + opening.length, to).trim()
  return {
    question: within(task, "[Task]:", submission),
    completion: within(submission, `${RULER}[Submission]:`, last),
    gold: within(last, RULER + name, end),
    reply: "grade"
  }
}

/** The blocks of our own judge's prompt, by their key. */
const fromOwn = (text: string): Parts | undefined => {
  // the first block is the prompt's own, in either order; what a candidate pretends to begin stands behind it
  const key = /^BEGIN (?:question|correct|candidate) ([0-9a-f]{16})$/m.exec(text)?.[1]
  if (key === undefined) return undefined
  const block = (name: string): string | undefined => {
    const [open, close] = [`BEGIN ${name} ${key}\n`, `\nEND ${name} ${key}`]
    const start = text.indexOf(open)
    const end = text.indexOf(close, start)
    return start < 0 || end < 0 ? undefined : text.slice(start + open.length, end)
  }
  const [gold, completion] = [block("correct"), block("candidate")]
  if (gold === undefined || completion === undefined) return undefined
  return { question: block("question"), gold, completion, reply: "word" }
}

/** Reads what is to be graded from the last user message, in one of the three forms. */
export const graderRequest = (options: DoorOptions, body: GraderRequest): Result.Result<ToGrade, NotGradable> => {
  const text = messageText(body.messages.findLast(({ role }) => role === "user")?.content)
  const parts = fromJson(text) ?? fromOwn(text) ?? fromInspect(text)
  if (parts === undefined) {
    return Result.fail(
      NotGradable.of("the last user message is neither {gold, completion}, nor Inspect's template, nor our judge's")
    )
  }
  const { question, gold, completion } = parts
  const reply = body.response_format === undefined || body.response_format === null ? parts.reply : "json"
  return Result.succeed({
    reply,
    request: requestOf({ id: "message", question, gold, completion, thinking: options.thinking })
  })
}

/** What a grader looks at is whether the answer is right; the format is not its matter. */
export const rightness = (score: Score, value: number): number => score.components.accuracy ?? value

const said = (reply: Reply, right: number): string => {
  const yes = right >= 1
  if (reply === "json") return JSON.stringify({ verdict: yes ? "yes" : "no" })
  if (reply === "word") return yes ? "yes" : "no"
  return `GRADE: ${yes ? "C" : right > 0 ? "P" : "I"}`
}

/** Writes the verdict as a chat completion. */
export const graderResponse = (model: string, reply: Reply, right: number): GraderResponse => ({
  id: "chatcmpl-gradus",
  object: "chat.completion",
  created: 0,
  model,
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: said(reply, right) } }],
  usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
})
