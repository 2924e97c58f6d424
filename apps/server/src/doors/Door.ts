/** What the doors of other trainers share: how a score becomes the one number that they can take. */
import type { Thinking } from "@gradus/domain/Question"
import type { Score, ScoreRequest } from "@gradus/domain/Score"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import { NotGradable, Unscored } from "../RewardProblem.ts"
import type { FindTruth } from "../Truths.ts"

export interface DoorOptions {
  /** Whether completions think, where the caller does not say. */
  readonly thinking: Thinking
  /** What a completion that nobody can score is worth at doors that take only numbers; `refuse` answers with a problem instead. */
  readonly unscored: number | "refuse"
  /** Truths of a manifest's questions, for callers that send none. */
  readonly truths: FindTruth
}

/** The number of a score; null = unscored stays a problem unless the server was told otherwise. */
export const numberOf = (
  { unscored }: DoorOptions,
  id: string,
  score: Score
): Result.Result<number, NotGradable | Unscored> => {
  if (score.value !== null) return Result.succeed(score.value)
  if (unscored !== "refuse") return Result.succeed(unscored)
  const reason = score.unscored ?? "unscored"
  return Result.fail(reason === "gold_unreadable" ? NotGradable.of(`${id}: ${reason}`) : Unscored.of(id, reason))
}

/** Truths come as texts, numbers, or a list of which the first counts. */
export const goldText = (gold: unknown): string | undefined => {
  if (typeof gold === "string") return gold
  if (typeof gold === "number" || typeof gold === "boolean") return String(gold)
  if (Array.isArray(gold)) return goldText(gold[0])
  return Predicate.hasProperty(gold, "ground_truth") ? goldText(gold.ground_truth) : undefined
}

/** A chat message, as far as it is text. */
export const messageText = (content: unknown): string => {
  if (typeof content === "string") return content
  if (!Array.isArray(content)) return ""
  return content
    .flatMap((part: unknown) =>
      Predicate.hasProperty(part, "text") && typeof part.text === "string" ? [part.text] : []
    )
    .join("")
}

/** The last thing that the user says in a prompt: a text, or a list of messages. */
export const questionText = (prompt: unknown): string | undefined => {
  if (typeof prompt === "string") return prompt
  if (!Array.isArray(prompt)) return undefined
  const last = prompt.findLast((message: unknown) => Predicate.hasProperty(message, "role") && message.role === "user")
  return Predicate.hasProperty(last, "content") ? messageText(last.content) : undefined
}

/** A request without keys that are not known. */
export const requestOf = (request: {
  readonly id: string
  readonly question: string | undefined
  readonly gold: string
  readonly completion: string
  readonly thinking: Thinking
}): ScoreRequest => {
  const { question, ...rest } = request
  return question === undefined ? rest : { ...rest, question }
}
