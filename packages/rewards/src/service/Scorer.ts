/** The scorer: completions in, scores out, in the same order. By rules alone, or with a judge. */
import type { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import type { Score, ScoreRequest, Verdict } from "@gradus/domain/Score"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Accuracy } from "../accuracy/Accuracy.ts"
import type { Judged } from "../judge/Prompt.ts"
import { answerOf, type RuleRewards, scoreWithRules, settle } from "../Score.ts"
import { Judge } from "./Judge.ts"

const accuracyOf = (verdict: Verdict): Accuracy => {
  switch (verdict.verdict) {
    case "yes":
      return { kind: "scored", value: 1 }
    case "no":
      return { kind: "scored", value: 0 }
    case "unreadable":
      return { kind: "unscored", reason: "judge_unreadable" }
    case "failed":
      return { kind: "unscored", reason: "judge_failed" }
  }
}

/** What must be judged of a request; undefined where the score is settled without a judge. */
const toJudge = (spec: RewardsSpec, request: ScoreRequest): Judged | undefined => {
  const answer = answerOf(spec, request)
  if (answer === null || request.truncated === true || request.gold.trim() === "") return undefined
  return { question: request.question, gold: request.gold, answer }
}

const identify = (judged: Judged): string => JSON.stringify([judged.question ?? null, judged.gold, judged.answer])

/** Settles a request that no judge was asked about. */
const settleUnjudged = (spec: RewardsSpec, request: ScoreRequest): Score => {
  if (request.gold.trim() === "") return settle(spec, request, { kind: "unscored", reason: "gold_unreadable" })
  return settle(spec, request, answerOf(spec, request) === null ? { kind: "scored", value: 0 } : undefined)
}

/** The same verdict for another completion: it cost nothing more, so that sums over scores are what was paid. */
const repeated = (verdict: Verdict): Verdict => ({ ...verdict, prompt_tokens: 0, completion_tokens: 0, ms: 0 })

/** Scores completions. It never fails: what cannot be scored says why. */
export class Scorer extends Context.Service<
  Scorer,
  { readonly score: (requests: ReadonlyArray<ScoreRequest>) => Effect.Effect<ReadonlyArray<Score>> }
>()("@gradus/rewards/Scorer") {
  /** Scores by `exact`, `numeric` or `none`. */
  static readonly layer = (spec: RuleRewards): Layer.Layer<Scorer> =>
    Layer.succeed(Scorer, {
      score: (requests) => Effect.sync(() => requests.map((request) => scoreWithRules(spec, request)))
    })

  /**
   * Scores by a judge. Equal (question, truth, answer) in one call are judged once; usage and time stand at the first of them.
   * Truncated completions and those without an answer are worth 0 and not judged.
   */
  static readonly layerJudge = (spec: RewardsSpec): Layer.Layer<Scorer, never, Judge> =>
    Layer.effect(
      Scorer,
      Effect.map(Judge, ({ judge }) => ({
        score: Effect.fn("Scorer.score")(function* (requests: ReadonlyArray<ScoreRequest>) {
          const asked = requests.map((request) => toJudge(spec, request))
          const distinct = new Map(
            asked.flatMap((judged) => (judged === undefined ? [] : [[identify(judged), judged]]))
          )
          const judgements = yield* Effect.forEach(
            distinct,
            ([identity, judged]) => Effect.map(judge(judged), (verdict) => [identity, verdict] as const),
            { concurrency: "unbounded" }
          )
          const verdicts = new Map(judgements)
          const said = new Set<string>()
          return requests.map((request, i) => {
            const judged = asked[i]
            const identity = judged === undefined ? "" : identify(judged)
            const verdict = verdicts.get(identity)
            if (verdict === undefined) return settleUnjudged(spec, request)
            const own = said.has(identity) ? repeated(verdict) : verdict
            said.add(identity)
            return settle(spec, request, accuracyOf(own), own)
          })
        })
      }))
    )
}
