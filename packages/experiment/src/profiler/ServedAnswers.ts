/** What a server gave for a task, as answers to be stored. Pure. */
import type { Question } from "@gradus/domain/Question"
import type { Score, ScoreRequest } from "@gradus/domain/Score"
import type { SampledTexts } from "@gradus/inference/SampleApi"
import type { StoredAnswer } from "./AnswerRecord.ts"

/** Takes at most `count` texts. Halves of surrogate pairs, which a cut leaves behind, have no UTF-8 form and are replaced. */
export const wellFormed = (given: SampledTexts, count: number): SampledTexts => ({
  ...given,
  texts: given.texts.slice(0, count).map((one) => ({
    ...one,
    text: one.text.toWellFormed(),
    reasoning: one.reasoning?.toWellFormed() ?? null
  }))
})

/** What a scorer is asked about each text; sample `ks[i]` is text i. */
export const scoreRequests = (
  question: Question,
  ks: ReadonlyArray<number>,
  { texts }: SampledTexts
): ReadonlyArray<ScoreRequest> =>
  texts.map((one, i) => ({
    id: `${question.question_id}/${ks[i]}`,
    question: question.question,
    gold: question.gold,
    completion: one.text,
    thinking: question.thinking,
    truncated: one.finish_reason === "length"
  }))

/** One sample's share of a sum over `count` samples, whole numbers that add up to it. */
const shareOf = (sum: number | null, i: number, count: number): number | null =>
  sum === null ? null : Math.floor(sum / count) + (i < sum % count ? 1 : 0)

/** Makes the answers that are stored; sample `ks[i]` is text i with score i. */
export const answersOf = (
  question: Question,
  ks: ReadonlyArray<number>,
  { completion_tokens, prompt_tokens, texts }: SampledTexts,
  scores: ReadonlyArray<Score>,
  server: string
): ReadonlyArray<StoredAnswer> =>
  texts.map(({ finish_reason, reasoning, text }, i) => {
    const score = scores[i]
    return {
      question_id: question.question_id,
      k: ks[i] ?? 0,
      text,
      ...(reasoning === null || reasoning === "" ? {} : { reasoning }),
      finish_reason,
      value: score?.value ?? null,
      ...(score?.unscored === undefined ? {} : { unscored: score.unscored }),
      answer: score?.answer?.toWellFormed() ?? null,
      prompt_tokens: shareOf(prompt_tokens, i, texts.length),
      completion_tokens: shareOf(completion_tokens, i, texts.length),
      server
    }
  })

/** Makes the answers for samples that could not be had. */
export const failuresOf = (
  question: Question,
  ks: ReadonlyArray<number>,
  reason: string,
  server: string
): ReadonlyArray<StoredAnswer> =>
  ks.map((k) => ({
    question_id: question.question_id,
    k,
    text: null,
    finish_reason: null,
    value: null,
    unscored: "completion_failed",
    answer: null,
    prompt_tokens: null,
    completion_tokens: null,
    server,
    failure: reason.toWellFormed()
  }))
