/** Scoring by rules: a completion and its truth become a score, without asking anybody. */
import type { AccuracyRule, RewardsSpec } from "@gradus/domain/manifest/Rewards"
import type { Components, Score, ScoreRequest, Verdict } from "@gradus/domain/Score"
import { takeAnswer } from "./Answer.ts"
import type { Accuracy } from "./accuracy/Accuracy.ts"
import { exact } from "./accuracy/Exact.ts"
import { numeric } from "./accuracy/Numeric.ts"
import { compose } from "./Compose.ts"
import { formatScore } from "./Format.ts"

/** Rewards that need no judge. */
export type RuleRewards = RewardsSpec & { readonly accuracy: Exclude<AccuracyRule, "judge"> }

/** Says whether a spec can be scored by rules alone. */
export const needsNoJudge = (spec: RewardsSpec): spec is RuleRewards => spec.accuracy !== "judge"

/** The completion as rules read it: where the chat template has opened the thought, it begins inside one, which must end. */
const asRead = (spec: RewardsSpec, { completion, thinking }: ScoreRequest): string =>
  spec.format_options?.think_opened_by_template === true && thinking === "on" && spec.answer !== "whole"
    ? `<think>${completion}`
    : completion

/** Takes the answer that a spec's rule points at; null where there is none. */
export const answerOf = (spec: RewardsSpec, request: ScoreRequest): string | null =>
  takeAnswer(spec.answer, asRead(spec, request))

/** Puts a score together from what was found out; `accuracy` is undefined where it was not measured. */
export const settle = (
  spec: RewardsSpec,
  request: ScoreRequest,
  accuracy: Accuracy | undefined,
  verdict?: Verdict
): Score => {
  const format = formatScore(spec.format, request.completion, request.thinking, spec.format_options)
  const components: Components = {
    ...(accuracy?.kind === "scored" ? { accuracy: accuracy.value } : {}),
    ...(format === undefined ? {} : { format })
  }
  const unscored = accuracy?.kind === "unscored" ? accuracy.reason : undefined
  return {
    ...compose(components, request.truncated === true, unscored),
    answer: answerOf(spec, request),
    components,
    ...(verdict === undefined ? {} : { verdict })
  }
}

/** Scores a completion by the rules `exact`, `numeric` or `none`. */
export const scoreWithRules = (spec: RuleRewards, request: ScoreRequest): Score => {
  switch (spec.accuracy) {
    case "none":
      return settle(spec, request, undefined)
    case "exact":
      return settle(spec, request, exact(answerOf(spec, request), request.gold))
    case "numeric":
      return settle(spec, request, numeric(answerOf(spec, request), request.gold))
  }
}
