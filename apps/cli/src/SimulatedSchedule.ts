/** The schedule of a manifest alone, on the latent model: profile, filter, batcher and outcomes, without texts, rewards and files. For schedules of any size. */
import { batcherOf, passesOf } from "@gradus/curriculum/Batchers"
import { passLength } from "@gradus/curriculum/Batcher"
import { filter, type Profiled } from "@gradus/curriculum/Filter"
import { refusing } from "@gradus/curriculum/PoolInvalid"
import { loadQuestions } from "@gradus/datasets/service/LoadQuestions"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { RatedQuestion } from "@gradus/domain/Profile"
import type { Question, QuestionSets } from "@gradus/domain/Question"
import * as Seed from "@gradus/domain/Seed"
import type { Asked } from "@gradus/simulation/Prediction"
import { type SimulatedQuestion, simulatedQuestions } from "@gradus/simulation/SimulatedAnswers"
import { type Course, type CourseRow, simulateCourse, simulatePasses } from "@gradus/simulation/SimulatedCourse"
import { type Ability, flat, imitate } from "@gradus/simulation/SimulatedModel"
import type { SimulationSettings } from "@gradus/simulation/SimulationSettings"
import * as Effect from "effect/Effect"
import { broughtRates } from "@gradus/experiment/BroughtRates"
import { NothingToTrainOn } from "@gradus/experiment/CurriculumStage"

export interface Schedule {
  readonly questions: number
  readonly kept: number
  readonly rows: ReadonlyArray<CourseRow>
  readonly asked: Asked
  readonly notes: ReadonlyArray<string>
}

/** The ability that training starts from: that of the settings, moved towards the author by every update of the warm-up. */
const startOf = ({ warmup }: Manifest, settings: SimulationSettings): Ability => {
  let ability = flat(settings.start)
  for (let update = 0; update < (warmup?.steps ?? 0); update++)
    ability = imitate(ability, settings.author, settings.imitation)
  return ability
}

const profileOf = (
  questions: ReadonlyArray<Question>,
  known: ReadonlyMap<string, SimulatedQuestion>,
  start: Ability,
  { profile: { samples }, seed }: Manifest
): ReadonlyArray<RatedQuestion> => {
  const node = Seed.child(Seed.root(seed), "simulated profile")
  return questions.map(({ domain, question_id }) => ({
    question_id,
    passed: simulatePasses(start, known.get(question_id)?.difficulty ?? 0, samples, Seed.child(node, question_id)),
    scored: samples,
    ...(domain === undefined ? {} : { domain })
  }))
}

/** The manifest's batcher as a course that the simulation draws from. */
const courseOf = (pool: ReadonlyArray<RatedQuestion>, { curriculum, seed, train }: Manifest): Course => {
  const batcher = batcherOf(curriculum)
  let state = batcher.init(pool, {
    promptsPerStep: train.prompts_per_step,
    steps: train.steps,
    lastBatch: curriculum.last_batch,
    seed: Seed.child(Seed.root(seed), "plan")
  })
  return {
    draw: () => {
      const drawn = batcher.draw(state)
      if (drawn === undefined) return undefined
      state = drawn[1]
      return drawn[0].questions
    },
    observe: (outcomes) => {
      state = batcher.observe(state, outcomes)
    }
  }
}

/** Counts the completions of evaluations: all sets before and after, the first one also in between; a reading after the last step is that of the end. */
const evaluated = ({ evaluate: { every, samples } }: Manifest, { evaluation }: QuestionSets, steps: number): number => {
  const sizes = Object.values(evaluation).map((set) => set.length)
  const between = every === 0 ? 0 : Math.floor(Math.max(0, steps - 1) / every) * (sizes[0] ?? 0)
  return samples * (2 * sizes.reduce((sum, size) => sum + size, 0) + between)
}

const notesOf = ({ gate, refresh, train }: Manifest, steps: number): ReadonlyArray<string> => [
  ...(train.steps === undefined || train.steps <= steps
    ? []
    : [`${train.steps} steps were asked for; what is kept lasts for ${steps}`]),
  ...(gate === undefined ? [] : ["the gate is no part of a schedule: steps are not refilled"]),
  ...(refresh === undefined ? [] : ["refreshes are no part of a schedule: the first profile holds to its end"])
]

/** Simulates a schedule. Fails as reading questions does, where the filter keeps nothing, and with what the batcher refuses. */
export const simulateSchedule = Effect.fn("SimulatedSchedule.simulate")(function* (
  manifest: Manifest,
  base: string,
  settings: SimulationSettings
) {
  const root = Seed.root(manifest.seed)
  const { sets } = yield* loadQuestions(manifest.questions, Seed.child(root, "questions"), base)
  const known = simulatedQuestions(sets.train, {
    seed: Seed.child(Seed.root(0), "simulation"),
    mean: settings.difficulty_mean,
    deviation: settings.difficulty_deviation
  })
  const start = startOf(manifest, settings)
  const { from } = manifest.profile
  const rated: ReadonlyArray<Profiled> =
    from === undefined
      ? profileOf(sets.train, known, start, manifest)
      : (yield* broughtRates(from, manifest.profile, base, sets.train)).rows
  const { kept } = yield* refusing(() => filter(rated, manifest.filter))
  if (kept.length === 0)
    return yield* new NothingToTrainOn({ questions: rated.length, dropAt: manifest.filter.drop_at })
  const { curriculum, train } = manifest
  const samples = train.samples_per_prompt
  const pass = passLength(kept.length, { promptsPerStep: train.prompts_per_step, lastBatch: curriculum.last_batch })
  const passes = passesOf(curriculum)
  const { rows } = yield* refusing(() =>
    simulateCourse({
      course: courseOf(kept, manifest),
      questions: known,
      samples,
      steps: train.steps ?? (passes === Infinity ? pass : pass * passes),
      seed: Seed.child(root, "simulated schedule"),
      learning: { gain: settings.gain, reach: settings.reach },
      start,
      tokens: () => 1
    })
  )
  const steps = rows.map((row) => {
    const completions = row.questions * samples
    return { completions, trained: Math.round(completions * (1 - row.silent_share)) }
  })
  const asked: Asked = {
    profile: from === undefined ? rated.length * manifest.profile.samples : 0,
    evaluate: evaluated(manifest, sets, rows.length),
    steps
  }
  const schedule: Schedule = {
    questions: rated.length,
    kept: kept.length,
    rows,
    asked,
    notes: notesOf(manifest, rows.length)
  }
  return schedule
})
