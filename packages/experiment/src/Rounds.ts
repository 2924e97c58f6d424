/** The rounds of a step: draw, generate, score, weigh. Without a gate there is one; with a gate others follow until the batch is full of groups that teach. */
import type { Refill } from "@gradus/domain/Journal"
import type { PlannedBatch } from "@gradus/domain/Plan"
import * as Seed from "@gradus/domain/Seed"
import * as Gate from "@gradus/curriculum/Gate"
import * as Effect from "effect/Effect"
import type { RunContext } from "./Context.ts"
import * as Course from "./Course.ts"
import type { TrainedPolicy } from "./Policy.ts"
import { sampleAndScore } from "./Sampling.ts"
import { weigh, type WeighedGroup } from "./StepBatch.ts"

export interface StepRounds {
  /** What the step drew first, and what a gate asked for after that. */
  readonly first: Omit<Refill, "lacking">
  readonly refill: ReadonlyArray<Refill>
  /** All groups that were generated; those that the gate turned away have no advantages. */
  readonly groups: ReadonlyArray<WeighedGroup>
  /** The groups that are trained on. */
  readonly admitted: ReadonlyArray<WeighedGroup>
  /** The course after the last draw, and after it was told what came of it. */
  readonly drawn: Course.Course
  readonly observed: Course.Course
  readonly metrics: Readonly<Record<string, number>>
  readonly seconds: Readonly<Record<string, number>>
}

const turnedAway = (group: WeighedGroup): WeighedGroup => ({
  ...group,
  advantages: group.advantages.map(() => null)
})

/** A question may come twice in a step, when its first group could not be scored: rounds have names and streams of their own. */
const identity = (context: RunContext, step: number, round: number) =>
  round === 0
    ? { stage: "train", seed: Seed.child(context.seed, "train", step) }
    : { stage: `train-refill-${round}`, seed: Seed.child(context.seed, "train", step, "refill", round) }

const shuffleSeed = (context: RunContext, step: number, round: number): Seed.Seed =>
  round === 0 ? Seed.child(context.seed, "shuffle", step) : Seed.child(context.seed, "shuffle", step, "refill", round)

/** Generates, scores and weighs one round. */
const askRound = Effect.fn("Rounds.ask")(function* (
  context: RunContext,
  policy: TrainedPolicy,
  step: number,
  round: number,
  batch: PlannedBatch
) {
  const { manifest } = context
  const { groups, seconds } = yield* sampleAndScore(context, {
    ...identity(context, step, round),
    step,
    model: policy.model,
    policyVersion: policy.version,
    run: policy.run,
    questions: batch.questions.flatMap((id) => context.questions.get(id) ?? []),
    samples: manifest.train.samples_per_prompt,
    sampling: manifest.sampling
  })
  return { weighed: weigh(manifest, groups, shuffleSeed(context, step, round)), seconds }
})

/** Lets a round's groups through the gate; without one all pass. */
const pass = (
  gate: Gate.GateState | undefined,
  weighed: ReadonlyArray<WeighedGroup>,
  outcomes: Refill["outcomes"]
): { readonly admitted: ReadonlyArray<WeighedGroup>; readonly gate: Gate.GateState | undefined } => {
  if (gate === undefined) return { admitted: weighed, gate }
  const [admission, next] = Gate.admit(
    gate,
    outcomes.map((outcome, index) => {
      const made = weighed[index]?.group
      return { ...outcome, generated: (made?.completions.length ?? 0) + (made?.failures.length ?? 0) }
    })
  )
  const through = new Set(admission.admitted)
  return { admitted: weighed.filter(({ question }) => through.has(question.question_id)), gate: next }
}

const added = (
  seconds: Readonly<Record<string, number>>,
  more: Readonly<Record<string, number>>
): Record<string, number> => {
  const sum: Record<string, number> = { ...seconds }
  for (const [phase, value] of Object.entries(more)) sum[phase] = (sum[phase] ?? 0) + value
  return sum
}

/** Draws and asks until the step has its batch. Returns undefined when the course has nothing left to draw. */
export const askStep = Effect.fn("Rounds.askStep")(function* (
  context: RunContext,
  policy: TrainedPolicy,
  course: Course.Course,
  step: number
) {
  const { manifest } = context
  let gate =
    manifest.gate === undefined
      ? undefined
      : Gate.open({
          ...manifest.gate,
          maxRounds: manifest.gate.max_rounds,
          promptsPerStep: manifest.train.prompts_per_step
        })
  let made: StepRounds | undefined
  for (let round = 0; round === 0 || (gate !== undefined && Gate.missing(gate) > 0); round++) {
    const lacking = gate === undefined || made === undefined ? undefined : Gate.missing(gate)
    const next = Course.draw(made?.observed ?? course, step, lacking)
    if (next === undefined) break
    const [batch, drawn] = next
    const { seconds, weighed } = yield* askRound(context, policy, step, round, batch)
    const outcomes = Course.outcomesOf(weighed, manifest.profile.pass_mark)
    const passed = pass(gate, weighed, outcomes)
    gate = passed.gate
    const through = new Set(passed.admitted)
    made = {
      first: made?.first ?? { batch, outcomes },
      refill: [...(made?.refill ?? []), ...(lacking === undefined ? [] : [{ lacking, batch, outcomes }])],
      groups: [...(made?.groups ?? []), ...weighed.map((group) => (through.has(group) ? group : turnedAway(group)))],
      admitted: [...(made?.admitted ?? []), ...passed.admitted],
      drawn,
      observed: Course.observe(drawn, outcomes),
      metrics: gate === undefined ? {} : Gate.metrics(gate),
      seconds: added(made?.seconds ?? {}, seconds)
    }
  }
  return made
})
