/** Asks a policy a list of questions and scores what it answers: the part that profile, training and evaluation share. */
import type { Completion, CompletionGroup } from "@gradus/domain/Completion"
import type { Question } from "@gradus/domain/Question"
import type { Score } from "@gradus/domain/Score"
import * as Seed from "@gradus/domain/Seed"
import type { TrainerRun } from "@gradus/domain/TrainerMessages"
import { Generator } from "@gradus/inference/Generator"
import { PublishRecords } from "@gradus/inference/PublishRecords"
import { Scorer } from "@gradus/rewards/service/Scorer"
import { Trainer } from "@gradus/trainer-client/Trainer"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
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
  /** The trainer's run itself, to publish from where engines outside generate. */
  readonly run: TrainerRun
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

/** The requests by which a group's completions are scored, in order. */
export const requestsOf = ({ group, question }: Pick<ScoredGroup, "group" | "question">) =>
  group.completions.map((completion) => request(question, completion))

/** The judge's budget is spent, and the manifest says to stop. What was judged is in the cache: going on asks for the rest alone. */
export class JudgeBudgetExhausted extends Schema.TaggedError<JudgeBudgetExhausted>()("JudgeBudgetExhausted", {
  budget: Schema.Finite
}) {
  readonly retryable = true
  override get message(): string {
    return `the judge's budget of ${this.budget} is spent; \`gradus judge grant\` adds to it, and the same command goes on`
  }
}

/** Stops where calls were refused for want of money and the manifest says `spent: pause`: before anything of the step counts. */
const stopIfSpent = Effect.fnUntraced(function* ({ rewards }: RunContext["manifest"], scores: ReadonlyArray<Score>) {
  const { judge } = rewards
  if (judge?.budget === undefined || judge.spent !== "pause") return
  if (scores.some(({ verdict }) => verdict?.failure_tag === "JudgeBudgetSpent"))
    return yield* new JudgeBudgetExhausted({ budget: judge.budget })
})

/** Generates and scores. Returns groups in the order of the questions, and the seconds that each part took. */
export const sampleAndScore = Effect.fn("Sampling.sampleAndScore")(function* (context: RunContext, sample: Sample) {
  const generator = yield* Generator
  const scorer = yield* Scorer
  const published = yield* publish(sample.run, sample.policyVersion)
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
  const [scores, score] = yield* timed(scorer.score(pairs.flatMap(requestsOf)))
  yield* stopIfSpent(context.manifest, scores)
  let next = 0
  const scored: ReadonlyArray<ScoredGroup> = pairs.map(({ question, group }) => {
    const own = scores.slice(next, next + group.completions.length)
    next += group.completions.length
    return { question, group, scores: own }
  })
  return { groups: scored, seconds: { ...published, generate, score } }
})

/** Brings the policy to the engines outside that are not proven to hold it. Returns the seconds that it took, where there are such engines. */
const publish = Effect.fn("Sampling.publish")(function* (run: TrainerRun, version: number) {
  const { targets, whole } = yield* PublishRecords
  if (targets.length === 0) return {}
  const trainer = yield* Trainer
  const [, seconds] = yield* timed(whole({ run: run.run, version }, trainer.publish(run, version, targets)))
  return { publish: seconds }
})
