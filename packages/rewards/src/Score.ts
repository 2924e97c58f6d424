/** Scoring by rules: a completion and its truth become a score, without asking anybody. */
import type { AccuracyRule, RewardsSpec } from "@gradus/domain/manifest/Rewards"
import type { Components, Score, ScoreRequest, Verdict } from "@gradus/domain/Score"
import { takeAnswer, takeAnswers } from "./Answer.ts"
import type { Accuracy } from "./accuracy/Accuracy.ts"
import { compareAnswers } from "./accuracy/Compared.ts"
import { followed } from "./accuracy/Instructions.ts"
import { compose, overlongPunishment } from "./Compose.ts"
import { formatScore } from "./Format.ts"

/** Rewards that need no judge. */
export type RuleRewards = RewardsSpec & { readonly accuracy: Exclude<AccuracyRule, "judge"> }

/** Says whether a spec can be scored by rules alone. */
export const needsNoJudge = (spec: RewardsSpec): spec is RuleRewards =>
  spec.accuracy !== "judge" && spec.cascade !== "judge"

/** The completion as rules read it: where the chat template has opened the thought, it begins inside one, which must end. */
export const asRead = (spec: RewardsSpec, { completion, thinking }: ScoreRequest): string =>
  spec.format_options?.think_opened_by_template === true && thinking === "on" && spec.answer !== "whole"
    ? `<think>${completion}`
    : completion

/** Takes the answer that a spec's rule points at; null where there is none. */
export const answerOf = (spec: RewardsSpec, request: ScoreRequest): string | null =>
  takeAnswer(spec.answer, asRead(spec, request))

/** Finds the accuracy by the spec's rule; undefined where it has none (`none`) or asks a judge. */
export const ruleAccuracy = (spec: RewardsSpec, request: ScoreRequest): Accuracy | undefined => {
  switch (spec.accuracy) {
    case "none":
    case "judge":
      return undefined
    case "instructions":
    case "instructions_loose":
      return followed(answerOf(spec, request), request.gold, spec.accuracy === "instructions" ? "strict" : "loose")
    default:
      return compareAnswers(spec.accuracy, takeAnswers(spec.answer, asRead(spec, request)), request.gold)
  }
}

const overlongOf = (spec: RewardsSpec, { tokens, truncated }: ScoreRequest): number | undefined => {
  if (spec.truncated !== "soft" || spec.overlong === undefined) return undefined
  // Without a count only the cut is known: a completion that was cut is as long as it may be.
  return overlongPunishment(spec.overlong, tokens ?? (truncated === true ? spec.overlong.max_tokens : 0))
}

/** Puts a score together from what was found out; `accuracy` is undefined where it was not measured. */
export const settle = (
  spec: RewardsSpec,
  request: ScoreRequest,
  accuracy: Accuracy | undefined,
  verdict?: Verdict,
  answer: string | null = answerOf(spec, request)
): Score => {
  const format = formatScore(spec.format, request.completion, request.thinking, spec.format_options)
  const overlong = overlongOf(spec, request)
  const components: Components = {
    ...(accuracy?.kind === "scored" ? { accuracy: accuracy.value } : {}),
    ...(format === undefined ? {} : { format }),
    ...(overlong === undefined ? {} : { overlong })
  }
  const unscored = accuracy?.kind === "unscored" ? accuracy.reason : undefined
  return {
    ...compose(spec, components, request.truncated === true, unscored),
    answer,
    components,
    ...(verdict === undefined ? {} : { verdict })
  }
}

/** Scores a completion by a rule that needs no judge, in this thread. */
export const scoreWithRules = (spec: RuleRewards, request: ScoreRequest): Score =>
  settle(spec, request, ruleAccuracy(spec, request))
