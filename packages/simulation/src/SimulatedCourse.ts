/**
 * A whole schedule on the latent model, without ports, files or texts (simulation): what the policy would be asked, how often it would be right, and
 * how its ability would move. For looking at a curriculum of any size in seconds before a GPU is paid for; it predicts nothing about a real model.
 */
import * as Seed from "@gradus/domain/Seed"
import type { SimulatedQuestion } from "./SimulatedAnswers.ts"
import { type Ability, flat, learn, type Learning, type Lesson, passChance } from "./SimulatedModel.ts"

/** What came of a question, as batchers observe it. */
export interface CourseOutcome {
  readonly question_id: string
  readonly scored: number
  readonly passed: number
}

/** A source of batches: a batcher's draw and observe over a state that it holds. */
export interface Course {
  readonly draw: () => ReadonlyArray<string> | undefined
  readonly observe: (outcomes: ReadonlyArray<CourseOutcome>) => void
}

export interface CourseOptions {
  readonly course: Course
  readonly questions: ReadonlyMap<string, SimulatedQuestion>
  readonly samples: number
  readonly steps: number
  readonly seed: Seed.Seed
  readonly learning?: Learning | undefined
  readonly start?: Ability | undefined
  /** Mean completion tokens of a question (a profile's `mean_tokens`). */
  readonly tokens: (questionId: string) => number
  /** Tokens of a prompt; absent: 0. */
  readonly promptTokens?: number | undefined
}

export interface CourseRow {
  readonly step: number
  readonly questions: number
  readonly pass_rate: number
  /** Share of groups that are all right or all wrong. */
  readonly silent_share: number
  /** Completion tokens generated. */
  readonly generated_tokens: number
  /** Tokens of prompts and completions that are trained on: those of groups that teach. */
  readonly trained_tokens: number
  readonly ability: number
}

/** Draws how many of a group are right. */
const passesOf = (p: number, samples: number, stream: Seed.Stream): number => {
  let passed = 0
  for (let k = 0; k < samples; k++) if (stream.next() < p) passed++
  return passed
}

/** Draws how many of a question's samples are right. */
export const simulatePasses = (ability: Ability, difficulty: number, samples: number, seed: Seed.Seed): number =>
  passesOf(passChance(ability, difficulty), samples, Seed.stream(seed))

/** The lessons of a group under GRPO: its right completions as one and its wrong ones as one, since signals add up. */
const lessonsOf = (difficulty: number, passed: number, samples: number): ReadonlyArray<Lesson> => {
  if (passed === 0 || passed === samples) return []
  const mean = passed / samples
  const std = Math.sqrt((samples * mean * (1 - mean)) / (samples - 1)) + 1e-4
  return [
    { difficulty, advantage: (passed * (1 - mean)) / std, right: true },
    { difficulty, advantage: ((samples - passed) * -mean) / std, right: false }
  ]
}

const meanAbility = ({ knots }: Ability): number => knots.reduce((sum, level) => sum + level, 0) / knots.length

/** Runs a schedule. Ends after `steps` or when the course has nothing left; questions that the simulation does not know are an error. */
export const simulateCourse = (
  options: CourseOptions
): { readonly simulation: true; readonly rows: ReadonlyArray<CourseRow>; readonly ability: Ability } => {
  const { course, questions, samples, seed, tokens } = options
  const learning = options.learning ?? { gain: 0.5, reach: 1.5 }
  let ability = options.start ?? flat(0)
  const rows: Array<CourseRow> = []
  for (let step = 1; step <= options.steps; step++) {
    const batch = course.draw()
    if (batch === undefined) break
    const lessons: Array<Lesson> = []
    const outcomes: Array<CourseOutcome> = []
    let [passedAll, silent, generated, trained] = [0, 0, 0, 0]
    for (const question_id of batch) {
      const question = questions.get(question_id)
      if (question === undefined) throw new RangeError(`question ${question_id} is not in the simulation`)
      const stream = Seed.stream(Seed.child(seed, step, question_id))
      const passed = passesOf(passChance(ability, question.difficulty), samples, stream)
      const own = lessonsOf(question.difficulty, passed, samples)
      lessons.push(...own)
      outcomes.push({ question_id, scored: samples, passed })
      passedAll += passed
      generated += samples * tokens(question_id)
      if (own.length === 0) silent++
      else trained += samples * (tokens(question_id) + (options.promptTokens ?? 0))
    }
    ability = learn(ability, lessons, batch.length * samples, learning)
    course.observe(outcomes)
    rows.push({
      step,
      questions: batch.length,
      pass_rate: passedAll / (batch.length * samples),
      silent_share: silent / batch.length,
      generated_tokens: Math.round(generated),
      trained_tokens: Math.round(trained),
      ability: meanAbility(ability)
    })
  }
  return { simulation: true, rows, ability }
}
