/** Asks a policy a list of questions and scores what it answers: the part that profile, training and evaluation share. */
import type { Completion, CompletionGroup } from "@gradus/domain/Completion"
import type { Question } from "@gradus/domain/Question"
import type { Score } from "@gradus/domain/Score"
import * as Seed from "@gradus/domain/Seed"
import { Generator } from "@gradus/inference/Generator"
import { Scorer } from "@gradus/rewards/service/Scorer"
import * as Effect from "effect/Effect"
import type { RunContext } from "./Context.ts"
import { renderPrompt } from "./Prompt.ts"
import { timed } from "./Records.ts"

export interface ScoredGroup {
  readonly question: Question
  readonly group: CompletionGroup
  /** Aligned to `group.completions`. */
  readonly scores: ReadonlyArray<Score>
}

export interface Sample {
  readonly stage: string
  readonly step: number
  /** The trainer's run whose live weights answer. */
  readonly model: string
  readonly policyVersion: number
  readonly questions: ReadonlyArray<Question>
  readonly samples: number
  readonly sampling: { readonly temperature: number; readonly max_tokens: number }
  /** The node of the seed tree below which each question has its stream. */
  readonly seed: Seed.Seed
}

const request = (question: Question, completion: Completion) => ({
  id: completion.sample_id,
  question: question.question,
  gold: question.gold,
  completion: completion.text,
  thinking: question.thinking,
  truncated: completion.finish_reason === "length",
  tokens: completion.token_ids.length
})

/** Generates and scores. Returns groups in the order of the questions, and the seconds that each part took. */
export const sampleAndScore = Effect.fn("Sampling.sampleAndScore")(function* (context: RunContext, sample: Sample) {
  const generator = yield* Generator
  const scorer = yield* Scorer
  const [groups, generate] = yield* timed(
    generator.generate({
      stage: sample.stage,
      step: sample.step,
      model: sample.model,
      policyVersion: sample.policyVersion,
      sampling: sample.sampling,
      groups: sample.questions.map((question) => ({
        question_id: question.question_id,
        prompt: renderPrompt(context.manifest.prompt, question),
        samples: sample.samples,
        seed: Seed.toInt(Seed.child(sample.seed, question.question_id))
      }))
    })
  )
  const pairs = groups.flatMap((group, index) => {
    const question = sample.questions[index]
    return question === undefined ? [] : [{ question, group }]
  })
  const [scores, score] = yield* timed(
    scorer.score(
      pairs.flatMap(({ question, group }) => group.completions.map((completion) => request(question, completion)))
    )
  )
  let next = 0
  const scored: ReadonlyArray<ScoredGroup> = pairs.map(({ question, group }) => {
    const own = scores.slice(next, next + group.completions.length)
    next += group.completions.length
    return { question, group, scores: own }
  })
  return { groups: scored, seconds: { generate, score } }
})
