/** The RL loop: draw, generate, score, weigh, update, record. */
import type { JournalEvent } from "@gradus/domain/Journal"
import type { PlannedBatch } from "@gradus/domain/Plan"
import type { MetricsRow } from "@gradus/domain/Metrics"
import { type EvaluationReading, RolloutRow } from "@gradus/domain/RunRecord"
import { encodeRows } from "@gradus/datasets/Parquet"
import { Trainer } from "@gradus/trainer-client/Trainer"
import { type EncodedUpdate, encodeUpdate } from "@gradus/trainer-client/UpdateCodec"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { writeFile } from "./AtomicFile.ts"
import type { RunContext } from "./Context.ts"
import * as Course from "./Course.ts"
import { evaluateSet } from "./Evaluate.ts"
import { judgeStepMetrics, watchJudge } from "./JudgeWatch.ts"
import { learningRate } from "./LearningRate.ts"
import type { TrainedPolicy } from "./Policy.ts"
import * as Progress from "./Progress.ts"
import { timed } from "./Records.ts"
import { storeVerdicts } from "./Verdicts.ts"
import { rolloutRows } from "./Rollouts.ts"
import { refreshIfDue, storedRefreshes } from "./Refreshes.ts"
import { askStep, type StepRounds } from "./Rounds.ts"
import { joinRounds } from "./Served.ts"
import { readUpdate } from "./StoredUpdate.ts"
import { denominator, generationMetrics, splitGroups, updateRows, type WeighedGroup } from "./StepBatch.ts"
import { withOldLogprobs, withReference } from "./OldLogprobs.ts"

/** The trainer holds another policy than the journal says, and the updates between them are not on disk. */
export class TrainerOutOfStep extends Schema.TaggedError<TrainerOutOfStep>()("TrainerOutOfStep", {
  expected: Schema.Int,
  found: Schema.Int
}) {
  override get message(): string {
    return `the trainer expects update ${this.found} but the journal is at update ${this.expected}; was its state directory changed?`
  }
}

interface Position {
  /** The next step to finish. */
  readonly step: number
  /** The next update to send. */
  readonly update: number
  readonly version: number
  /** The step that is generated but not finished. */
  readonly generated: Extract<JournalEvent, { _tag: "step_generated" }> | undefined
}

/** Reads from the journal where the loop is. */
export const position = (events: ReadonlyArray<JournalEvent>): Position => {
  const finished = events.findLast((event) => event._tag === "step_finished")
  const applied = events.findLast((event) => event._tag === "update_applied")
  const generated = events.findLast((event) => event._tag === "step_generated")
  const step = (finished?.step ?? 0) + 1
  return {
    step,
    update: (applied?.update ?? 0) + 1,
    version: applied?.version ?? 0,
    generated: generated?.step === step ? generated : undefined
  }
}

/** Encodes the updates of a step. Several updates share one old policy, whose log-probabilities are asked for before the first. */
const encodeUpdates = Effect.fn("Train.encodeUpdates")(function* (
  context: RunContext,
  policy: TrainedPolicy,
  groups: ReadonlyArray<WeighedGroup>,
  firstUpdate: number,
  totalUpdates: number
) {
  const { train } = context.manifest
  const encoded: Array<EncodedUpdate> = []
  for (const part of splitGroups(groups, train.updates_per_step)) {
    const own = updateRows(context.manifest, part)
    if (own.length === 0) continue
    const old = train.updates_per_step > 1 ? yield* withOldLogprobs(policy.run, own) : own
    const rows = yield* withReference(policy.reference, old)
    const update = firstUpdate + encoded.length
    const header = {
      run: policy.run.run,
      update,
      parent_version: policy.version + encoded.length,
      learning_rate: learningRate(train.learning_rate, update, totalUpdates),
      loss: train.loss,
      normaliser: train.normaliser,
      denominator: denominator(context.manifest, part)
    } as const
    encoded.push(encodeUpdate({ header, rows }))
  }
  return encoded
})

/** What a step's completions say, beside what was planned for them. */
const stepMetrics = (
  context: RunContext,
  made: StepRounds,
  batch: PlannedBatch,
  firstUpdate: number,
  totalUpdates: number
) => ({
  ...generationMetrics(made.groups, context.manifest.profile.pass_mark),
  ...judgeStepMetrics(context.manifest, batch.batch, made.groups),
  learning_rate: learningRate(context.manifest.train.learning_rate, firstUpdate, totalUpdates),
  "plan/target_mean": batch.targetMean,
  "plan/achieved_mean": batch.achievedMean,
  "plan/fill": batch.fill,
  ...made.drawn.batcher.metrics(made.drawn.state),
  ...made.metrics
})

/** Puts a step's completions, its verdicts and the bytes of its updates on disk, and only then into the journal. */
const storeStep = Effect.fn("Train.storeStep")(function* (
  context: RunContext,
  policy: TrainedPolicy,
  made: StepRounds,
  at: Position
) {
  const { directory } = context
  const totalUpdates = made.drawn.expected * context.manifest.train.updates_per_step
  const encoded = yield* encodeUpdates(context, policy, made.admitted, at.update, totalUpdates)
  const rows = rolloutRows(
    at.step,
    policy.version,
    made.groups,
    made.groups.map((group) => group.advantages)
  )
  yield* storeVerdicts(directory.verdicts(directory.rollouts(at.step)), rows, made.groups)
  yield* writeFile(directory.rollouts(at.step), yield* encodeRows(RolloutRow, rows))
  for (const [index, update] of encoded.entries()) yield* writeFile(directory.update(at.step, index), update.bytes)
  const { first, refill } = made
  const batch = joinRounds(first.batch, refill)
  yield* context.journal.commit({
    _tag: "step_generated",
    step: at.step,
    updates: encoded.map((one) => ({ update: one.update, digest: one.digest })),
    ...first,
    ...(refill.length === 0 ? {} : { refill }),
    metrics: stepMetrics(context, made, batch, at.update, totalUpdates)
  })
  return encoded
})

/** Generates a step. Returns undefined when nothing is left to draw. */
const generateStep = Effect.fn("Train.generateStep")(function* (
  context: RunContext,
  policy: TrainedPolicy,
  course: Course.Course,
  at: Position
) {
  const made = yield* askStep(context, policy, course, at.step)
  if (made === undefined) return undefined
  const [updates, record] = yield* timed(storeStep(context, policy, made, at))
  return { updates, course: made.observed, seconds: { ...made.seconds, record } }
})

/** Sends a step's updates, those first that the trainer has not yet seen. */
const applyUpdates = Effect.fn("Train.applyUpdates")(function* (
  context: RunContext,
  policy: TrainedPolicy,
  step: number,
  updates: ReadonlyArray<EncodedUpdate>
) {
  const trainer = yield* Trainer
  let version = policy.version
  const committed = new Set(
    context.journal.events().flatMap((event) => (event._tag === "update_applied" ? [event.update] : []))
  )
  for (const update of updates) {
    const answer = yield* trainer.update(policy.run, update)
    version = answer.version
    if (committed.has(update.update)) continue
    const { update: number, digest, applied, metrics } = answer
    yield* context.journal.commit({ _tag: "update_applied", step, update: number, digest, version, applied, metrics })
  }
  return version
})

/** Reads a generated step's updates back from disk. */
const storedUpdates = Effect.fn("Train.storedUpdates")(function* (
  context: RunContext,
  event: NonNullable<Position["generated"]>
) {
  return yield* Effect.forEach(event.updates, ({ digest }, index) =>
    readUpdate(context.directory.update(event.step, index), digest)
  )
})

/** Sends again what a trainer that went back to an older checkpoint has lost. */
export const catchUp = Effect.fn("Train.catchUp")(function* (context: RunContext, policy: TrainedPolicy) {
  const trainer = yield* Trainer
  const at = position(context.journal.events())
  const generated = context.journal.events().flatMap((event) => (event._tag === "step_generated" ? [event] : []))
  for (const event of generated.filter((one) => one.step < at.step))
    for (const update of yield* storedUpdates(context, event))
      if (update.update >= policy.run.next_update) yield* trainer.update(policy.run, update)
  const sent = generated.filter((one) => one.step === at.step).flatMap((one) => one.updates).length
  if (policy.run.next_update > at.update + sent)
    return yield* new TrainerOutOfStep({ expected: at.update, found: policy.run.next_update })
})

/** Makes everything up to here durable in the trainer. */
const checkpoint = Effect.fn("Train.checkpoint")(function* (
  context: RunContext,
  policy: TrainedPolicy,
  step: number,
  last: boolean
) {
  const trainer = yield* Trainer
  const written = yield* trainer.checkpoint(policy.run, last ? "final" : `step-${step}`, { policy: last })
  // an attempt that was cut right after this line asks the trainer again, which answers as before; the journal says it once
  const said = context.journal.events().findLast((event) => event._tag === "checkpoint_written")
  if (said?._tag !== "checkpoint_written" || said.step !== step || said.update !== written.update)
    yield* context.journal.commit({ _tag: "checkpoint_written", step, update: written.update, digest: written.digest })
  return written.digest
})

interface After {
  readonly seconds: Readonly<Record<string, number>>
  readonly reading?: EvaluationReading
}

/** What is due after a step: a durable checkpoint, a reading of the first evaluation set. Returns the seconds of each, and the reading. */
const afterStep = Effect.fn("Train.afterStep")(function* (context: RunContext, policy: TrainedPolicy, step: number) {
  const { evaluate, train: spec } = context.manifest
  const set = Object.keys(context.sets.evaluation)[0]
  const seconds: Record<string, number> = {}
  if (step % spec.checkpoint_every === 0)
    seconds["checkpoint"] = (yield* timed(checkpoint(context, policy, step, false)))[1]
  if (evaluate.every === 0 || step % evaluate.every !== 0 || set === undefined) return { seconds }
  const [reading, spent] = yield* timed(evaluateSet(context, policy, set, step))
  return { seconds: { ...seconds, evaluate: spent }, reading }
})

/** Reads a step back that an earlier attempt has generated. */
const storedStep = Effect.fn("Train.storedStep")(function* (
  context: RunContext,
  course: Course.Course,
  event: NonNullable<Position["generated"]>
) {
  const followed = yield* Effect.fromResult(Course.followStep(course, event))
  return { updates: yield* storedUpdates(context, event), course: followed, seconds: {} }
})

/** Trains one step: draw, generate, score, weigh, update, record. Returns the policy and the course after it; undefined when nothing is left to draw. */
const trainStep = Effect.fn("Train.step")(function* (
  context: RunContext,
  policy: TrainedPolicy,
  course: Course.Course
) {
  const at = position(context.journal.events())
  const made =
    at.generated === undefined
      ? yield* generateStep(context, policy, course, at)
      : yield* storedStep(context, course, at.generated)
  if (made === undefined) return undefined
  const [version, update] = yield* timed(applyUpdates(context, policy, at.step, made.updates))
  const trained = { ...policy, version }
  const more = Course.draw(made.course, at.step + 1) !== undefined
  // before the step counts as finished: a run that is cut here takes its reading when it goes on
  const extra: After = more ? yield* afterStep(context, trained, at.step) : { seconds: {} }
  yield* watchJudge(context, at.step)
  yield* context.journal.commit({ _tag: "step_finished", step: at.step, version })
  yield* context.records.metrics(context.journal.events())
  return {
    policy: trained,
    course: made.course,
    step: at.step,
    seconds: { ...made.seconds, update, ...extra.seconds },
    reading: extra.reading
  }
})

const two = (value: number | null | undefined): string => value?.toFixed(2) ?? "-"

/** What a step came to, in a few words: reward, measured pass rate against the target, and the last reading. */
const stepNote = (metrics: MetricsRow["metrics"], reading: EvaluationReading | undefined): string =>
  [
    `reward ${metrics["reward"]?.toFixed(3) ?? "-"}`,
    `pass rate ${two(metrics["group_pass_rate"])} (target ${two(metrics["plan/target_mean"])})`,
    ...(reading === undefined ? [] : [`${reading.set} ${reading.accuracy?.toFixed(3) ?? "unscored"}`])
  ].join(", ")

/** Trains all steps, from where the journal stands. Returns the policy after the last one, and how many there were. */
export const train = Effect.fn("Train.train")(function* (
  context: RunContext,
  start: TrainedPolicy,
  begun: Course.Course
) {
  const at = position(context.journal.events())
  let policy: TrainedPolicy = { ...start, version: at.version }
  const profiles = yield* storedRefreshes(context)
  let reading: EvaluationReading | undefined
  let course = yield* Effect.fromResult(Course.follow(begun, context.journal.events(), at.step - 1, profiles))
  for (;;) {
    course = yield* refreshIfDue(context, policy, course)
    const [done, seconds] = yield* timed(trainStep(context, policy, course))
    if (done === undefined) return { policy, steps: position(context.journal.events()).step - 1 }
    policy = done.policy
    course = done.course
    yield* context.records.timings("train", done.step, { ...done.seconds, step: seconds })
    reading = done.reading ?? reading
    yield* Progress.report({
      stage: "train",
      done: done.step,
      total: Math.max(done.step, course.expected),
      unit: "steps",
      note: stepNote(
        context.journal.events().findLast((event) => event._tag === "step_generated")?.metrics ?? {},
        reading
      )
    })
  }
})

/** Closes training: a last checkpoint whose weights become an artifact. Returns their digest. */
export const finishTraining = Effect.fn("Train.finish")(function* (
  context: RunContext,
  policy: TrainedPolicy,
  steps: number
) {
  const done = context.journal.events().findLast((event) => event._tag === "stage_finished" && event.stage === "train")
  if (done?._tag === "stage_finished" && done.weights !== undefined) return done.weights
  const weights = yield* checkpoint(context, policy, steps, true)
  yield* context.journal.commit({
    _tag: "stage_finished",
    stage: "train",
    input_digest: policy.start,
    reused: false,
    weights,
    rows: []
  })
  return weights
})
