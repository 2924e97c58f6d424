/** The scorer: completions in, scores out, in the same order. By rules alone, by a judge, or by a judge where rules do not accept. */
import type { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import type { Score, ScoreRequest, Verdict } from "@gradus/domain/Score"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Accuracy } from "../accuracy/Accuracy.ts"
import { truths } from "../accuracy/Math.ts"
import { brokenThought } from "../judge/guard/Thought.ts"
import type { Judged } from "../judge/Prompt.ts"
import { answerOf, asRead, type RuleRewards, ruleAccuracy, settle } from "../Score.ts"
import { Judge } from "./Judge.ts"
import { MathGrader } from "./MathGrader.ts"
import { mathJob } from "./MathJob.ts"
import { mapInSlices } from "./Slices.ts"

type Requests = ReadonlyArray<ScoreRequest>

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

/** The answer that was taken, and what the rules say about it; undefined where they say nothing. */
interface Ruled {
  readonly answer: string | null
  readonly accuracy: Accuracy | undefined
}

/** Applies the spec's accuracy rule to every request; mathematics goes to the grader's threads. */
const applyRules = (
  spec: RewardsSpec,
  grader: MathGrader["Service"],
  requests: Requests
): Effect.Effect<ReadonlyArray<Ruled>> =>
  spec.accuracy === "math"
    ? grader.grade(requests.map((request) => mathJob(spec.answer, asRead(spec, request), truths(request.gold))))
    : mapInSlices(requests, (request) => ({
        answer: answerOf(spec, request),
        accuracy: ruleAccuracy(spec, request)
      }))

/** What must be judged of a request; undefined where the score is settled without a judge. */
const toJudge = (request: ScoreRequest, { answer, accuracy }: Ruled): Judged | undefined => {
  if (answer === null || request.truncated === true || request.gold.trim() === "") return undefined
  if (accuracy?.kind === "scored" && accuracy.value === 1) return undefined
  return { question: request.question, gold: request.gold, answer, thought: brokenThought(request.completion) }
}

const identify = ({ question, gold, answer, thought }: Judged): string =>
  JSON.stringify([question ?? null, gold, answer, thought ?? null])

/** Settles a request that no judge was asked about. */
const settleUnjudged = (spec: RewardsSpec, request: ScoreRequest, { answer, accuracy }: Ruled): Score => {
  if (request.gold.trim() === "") return settle(spec, request, { kind: "unscored", reason: "gold_unreadable" })
  const known = accuracy ?? (answer === null ? ({ kind: "scored", value: 0 } as const) : undefined)
  return settle(spec, request, known, undefined, answer)
}

/** The same verdict for another completion: it cost nothing more, so that sums over scores are what was paid. */
const repeated = ({ cost, ...verdict }: Verdict): Verdict => ({
  ...verdict,
  prompt_tokens: 0,
  completion_tokens: 0,
  ms: 0,
  ...(cost === undefined ? {} : { cost: 0 })
})

/** Mathematics in threads; other specs start none. */
const graderOf = (spec: RewardsSpec): Layer.Layer<MathGrader> =>
  spec.accuracy === "math" ? MathGrader.layer() : MathGrader.layerInline

/** Asks about every distinct (question, truth, answer) once. */
const judgeDistinct = Effect.fnUntraced(function* (
  judge: Judge["Service"]["judge"],
  asked: ReadonlyArray<Judged | undefined>
) {
  const distinct = new Map(asked.flatMap((judged) => (judged === undefined ? [] : [[identify(judged), judged]])))
  return new Map(
    yield* Effect.forEach(
      distinct,
      ([identity, judged]) => Effect.map(judge(judged), (verdict) => [identity, verdict] as const),
      { concurrency: "unbounded" }
    )
  )
})

/** Scores completions. It never fails: what cannot be scored says why. */
export class Scorer extends Context.Service<
  Scorer,
  { readonly score: (requests: Requests) => Effect.Effect<ReadonlyArray<Score>> }
>()("@gradus/rewards/Scorer") {
  /** Scores by rules alone. `math` has its own threads, which end with the layer. */
  static readonly layer = (spec: RuleRewards): Layer.Layer<Scorer> =>
    Layer.effect(
      Scorer,
      Effect.map(MathGrader, (grader) => ({
        score: Effect.fn("Scorer.score")(function* (requests: Requests) {
          const ruled = yield* applyRules(spec, grader, requests)
          return yield* mapInSlices(requests, (request, i) =>
            settle(spec, request, ruled[i]?.accuracy, undefined, ruled[i]?.answer ?? null)
          )
        })
      }))
    ).pipe(Layer.provide(graderOf(spec)))

  /**
   * Scores by a judge, or by a cascade: what the spec's own rule accepts is not judged. Equal (question, truth, answer) in one
   * call are judged once; usage and time stand at the first of them. Truncated completions and those without an answer are not judged.
   */
  static readonly layerJudge = (spec: RewardsSpec): Layer.Layer<Scorer, never, Judge> =>
    Layer.effect(
      Scorer,
      Effect.gen(function* () {
        const { judge } = yield* Judge
        const grader = yield* MathGrader
        const score = Effect.fn("Scorer.score")(function* (requests: Requests) {
          const ruled = yield* applyRules(spec, grader, requests)
          const asked = requests.map((request, i) => toJudge(request, ruled[i] ?? NOTHING))
          const verdicts = yield* judgeDistinct(judge, asked)
          const said = new Set<string>()
          return yield* mapInSlices(requests, (request, i) => {
            const judged = asked[i]
            const identity = judged === undefined ? "" : identify(judged)
            const verdict = verdicts.get(identity)
            if (verdict === undefined) return settleUnjudged(spec, request, ruled[i] ?? NOTHING)
            const own = said.has(identity) ? repeated(verdict) : verdict
            said.add(identity)
            return settle(spec, request, accuracyOf(own), own, ruled[i]?.answer ?? null)
          })
        })
        return { score }
      })
    ).pipe(Layer.provide(graderOf(spec)))
}

const NOTHING: Ruled = { answer: null, accuracy: undefined }
