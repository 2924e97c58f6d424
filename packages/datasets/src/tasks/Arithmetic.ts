/** The arithmetic task: sums, products, chains and stories by level, with worked reasoning; for policies that can read. */
import type { ArithmeticLevel, ArithmeticQuestions } from "@gradus/domain/manifest/Questions"
import type { Question, Thinking } from "@gradus/domain/Question"
import type { Stream } from "@gradus/domain/Seed"
import * as Seed from "@gradus/domain/Seed"
import * as Effect from "effect/Effect"
import { QuestionSpaceExhausted } from "../DatasetErrors.ts"
import { drawDistinct, drawNew } from "../Distinct.ts"
import { questionId, type Task } from "../Task.ts"
import { domainOf, drawProblem, type Problem } from "./ArithmeticLevels.ts"

interface Draft extends Problem {
  readonly level: ArithmeticLevel
  readonly thinking: Thinking
}

const drawDraft = (level: ArithmeticLevel, offShare: number, stream: Stream): Draft => ({
  thinking: stream.next() < offShare ? "off" : "on",
  level,
  ...drawProblem[level](stream)
})

const questionOf = (question_id: string, { answer, level, question, thinking }: Draft): Question => ({
  question_id,
  question,
  gold: String(answer),
  thinking,
  domain: domainOf(level),
  level
})

/** Writes the text to imitate, without the end token: the worked lines in think tags and `#### answer`, or the latter alone. */
export const completionOf = (problem: Problem, thinking: Thinking): string =>
  thinking === "on"
    ? `<think>\n${problem.steps.join("\n")}\n</think>\n#### ${problem.answer}`
    : `#### ${problem.answer}`

/** Draws `count` questions of each level in turn; a level's stream depends on its name alone. */
const drawSet = Effect.fnUntraced(function* (
  set: string,
  levels: ReadonlyArray<ArithmeticLevel>,
  count: number,
  offShare: number,
  seed: Seed.Seed,
  seen: Set<string>
) {
  const drafts: Array<Draft> = []
  for (const level of new Set(levels)) {
    const stream = Seed.stream(Seed.child(seed, "arithmetic", set, level))
    const wanted = { task: "arithmetic", set, level, count }
    drafts.push(...(yield* drawDistinct(wanted, () => drawDraft(level, offShare, stream), seen)))
  }
  return drafts.map((draft, i) => questionOf(questionId(set, i), draft))
})

/** Makes arithmetic questions. Train and held-out draw from `levels`, hard from `hard_levels` with thinking on; the warm-up from `levels`. */
export const arithmetic: Task<ArithmeticQuestions> = {
  sets: Effect.fnUntraced(function* (spec, seed) {
    const seen = new Set<string>()
    const heldout = yield* drawSet("heldout", spec.levels, spec.heldout_per_level, spec.off_share, seed, seen)
    const hard = yield* drawSet("hard", spec.hard_levels, spec.hard_per_level, 0, seed, seen)
    const train = yield* drawSet("train", spec.levels, spec.train_per_level, spec.off_share, seed, seen)
    return { train, evaluation: { heldout, hard } }
  }),

  worked: (spec, seed, index, exclude) => {
    const stream = Seed.stream(Seed.child(seed, "arithmetic", "warmup", index))
    const draw = (): Draft => {
      const level = spec.levels[stream.below(spec.levels.length)] ?? spec.levels[0]
      return drawDraft(level, spec.off_share, stream)
    }
    const draft = drawNew(draw, ({ question }) => !exclude.has(question))
    if (draft === undefined) {
      const level = spec.levels.join(", ")
      return Effect.fail(new QuestionSpaceExhausted({ task: "arithmetic", set: "warmup", level, asked: 1, found: 0 }))
    }
    const question = questionOf(questionId("warmup", index), draft)
    return Effect.succeed({ ...question, completion: completionOf(draft, draft.thinking) })
  }
}
