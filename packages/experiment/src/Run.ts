/** A run from manifest to report: warm-up, profile, filter, plan, train, evaluate, report. Every stage picks up where the journal stands. */
import { ofBytes } from "@gradus/domain/Digest"
import { Lineage } from "@gradus/domain/Lineage"
import type { TimingsRow } from "@gradus/domain/Metrics"
import type { EvaluationReading } from "@gradus/domain/RunRecord"
import type { RunSummary } from "@gradus/domain/RunSummary"
import * as Seed from "@gradus/domain/Seed"
import type { ResolvedManifest } from "@gradus/manifest/Resolve"
import { planDigest } from "@gradus/curriculum/Plan"
import { loadQuestions as load } from "@gradus/datasets/service/LoadQuestions"
import type { Generator } from "@gradus/inference/Generator"
import type { JudgeCalibration } from "@gradus/rewards/service/JudgeCalibration"
import type { Scorer } from "@gradus/rewards/service/Scorer"
import { promptDigests } from "@gradus/rewards/judge/Prompt"
import { Trainer } from "@gradus/trainer-client/Trainer"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { exists, readFile, readJson, writeFile, writeJson } from "./AtomicFile.ts"
import type { RunContext } from "./Context.ts"
import { filterAndPlan, writeDrawn } from "./CurriculumStage.ts"
import { evaluateAll } from "./Evaluate.ts"
import { watchJudge } from "./JudgeWatch.ts"
import { openJournal, readJournal } from "./Journal.ts"
import { profile } from "./Profile.ts"
import { asOwner } from "./Owner.ts"
import { openPolicy } from "./OpenPolicy.ts"
import { contentOf } from "./PolicyContent.ts"
import * as Progress from "./Progress.ts"
import { firstDifference } from "./Difference.ts"
import { readRun, ResolvedFile } from "./ReadRun.ts"
import { openRecords } from "./Records.ts"
import { RunChanged } from "./RunChanged.ts"
import { layout, type RunDirectory } from "./RunDirectory.ts"
import { checkStored } from "./StoredManifest.ts"
import { catchUp, finishTraining, train } from "./Train.ts"
import { warmup } from "./Warmup.ts"

/** What the application knows about where a run comes from. */
export type Origin = Pick<Lineage, "commit" | "dirty" | "locks" | "versions" | "hardware">

export interface RunInput {
  readonly resolved: Pick<ResolvedManifest, "manifest" | "digest"> & { readonly provenance: ReadonlyArray<unknown> }
  /** The text of the manifest as written, kept beside the run. */
  readonly written: string
  /** Relative paths in the manifest start here. */
  readonly base: string
  readonly root: string
  readonly origin: Origin
  /** Whether the report is drawn at the end; absent: it is. A sweep has thousands of runs and one report. */
  readonly report?: boolean
}

/** A run goes on only with the manifest that it began with. */
const checkManifest = Effect.fn("Run.checkManifest")(function* (input: RunInput, directory: RunDirectory) {
  const stored = yield* readJson(ResolvedFile, directory.resolved)
  if (stored.digest !== input.resolved.digest) {
    const field = firstDifference(stored.manifest, input.resolved.manifest) ?? "manifest"
    return yield* new RunChanged({ directory: directory.root, field })
  }
  // the report and the digest of the plan are read by what lies there
  yield* checkStored(stored, directory)
})

/** What a run takes from files besides its manifest, by digest. */
interface Taken {
  readonly dataset: string
  readonly policy: string | undefined
}

/** ... and with the questions and the policy's files that it began with. */
const checkUnchanged = Effect.fn("Run.checkUnchanged")(function* (
  input: RunInput,
  directory: RunDirectory,
  taken: Taken
) {
  yield* checkManifest(input, directory)
  const lineage = yield* readJson(Lineage, directory.lineage)
  if (lineage.dataset_digest !== taken.dataset)
    return yield* new RunChanged({ directory: directory.root, field: "dataset" })
  // files that are not on this host, or no longer, are the trainer's to judge: it opens them only where it still needs them
  const { policy_content } = lineage
  if (policy_content !== undefined && taken.policy !== undefined && policy_content !== taken.policy)
    return yield* new RunChanged({ directory: directory.root, field: "policy.path" })
})

const describe = Effect.fn("Run.describe")(function* (input: RunInput, directory: RunDirectory, taken: Taken) {
  if (yield* exists(directory.lineage)) return yield* checkUnchanged(input, directory, taken)
  const info = yield* (yield* Trainer).info
  const generation = info.determinism
  const { judge } = input.resolved.manifest.rewards
  const lineage: Lineage = {
    format: 1,
    created: DateTime.formatIso(yield* DateTime.now),
    ...input.origin,
    manifest_digest: input.resolved.digest,
    dataset_digest: taken.dataset,
    ...(taken.policy === undefined ? {} : { policy_content: taken.policy }),
    ...(judge === undefined ? {} : { judge_prompts: promptDigests(judge) }),
    trainer: {
      torch: info.torch,
      device: info.device,
      cpu_capability: info.cpu_capability,
      determinism: info.determinism
    },
    stages: {
      warmup: info.determinism,
      profile: generation,
      filter: "bitwise",
      plan: "bitwise",
      evaluate_first: generation,
      train: generation,
      evaluate_last: generation,
      report: "bitwise"
    }
  }
  yield* writeFile(directory.manifest, input.written)
  yield* writeJson(directory.resolved, {
    format: 1,
    digest: input.resolved.digest,
    base: input.base,
    manifest: input.resolved.manifest,
    provenance: input.resolved.provenance
  })
  yield* writeJson(directory.lineage, lineage)
})

const prepare = Effect.fn("Run.prepare")(function* (input: RunInput) {
  const directory = yield* layout(input.root)
  const manifest = input.resolved.manifest
  const seed = Seed.root(manifest.seed)
  const questions = yield* load(manifest.questions, Seed.child(seed, "questions"), input.base)
  const policyContent = yield* contentOf(manifest.policy, input.base, directory.artifacts)
  yield* describe(input, directory, { dataset: questions.digest, policy: policyContent })
  const journal = yield* openJournal(directory.journal)
  const attempt = journal.events().filter((event) => event._tag === "run_started").length + 1
  yield* journal.commit({ _tag: "run_started", format: 1, attempt, manifest_digest: input.resolved.digest })
  const context: RunContext = {
    manifest,
    manifestDigest: input.resolved.digest,
    base: input.base,
    directory,
    seed,
    sets: questions.sets,
    datasetDigest: questions.digest,
    policyContent,
    worked: questions.workedExample ?? undefined,
    questions: new Map(questions.sets.train.map((question) => [question.question_id, question])),
    journal,
    attempt,
    records: yield* openRecords(directory, attempt, journal.events())
  }
  return context
})

const accuracyAt = (readings: ReadonlyArray<EvaluationReading>, set: string, step: number): number | null =>
  readings.find((one) => one.set === set && one.step === step)?.accuracy ?? null

/** The last attempt's time, and of earlier attempts what their finished stages and steps took. */
const runSeconds = (timings: ReadonlyArray<TimingsRow>): number => {
  const last = timings.findLast((row) => row.seconds["run"] !== undefined)
  const earlier = timings.filter((row) => row.attempt !== last?.attempt && row.stage !== "report")
  const kept = earlier.reduce((sum, { seconds }) => sum + (seconds["stage"] ?? seconds["step"] ?? 0), 0)
  return Math.round(1000 * (kept + (last?.seconds["run"] ?? 0))) / 1000
}

/** Sums a finished run up from its files. Returns undefined for a run that is not finished. */
export const summary = Effect.fn("Run.summary")(function* (root: string) {
  const directory = yield* layout(root)
  if (!(yield* exists(directory.journal))) return undefined
  const record = yield* readRun(root)
  if (!record.finished) return undefined
  const { events } = yield* readJournal(directory.journal)
  const weights = events.findLast((event) => event._tag === "stage_finished" && event.stage === "train")
  const steps = events.findLast((event) => event._tag === "run_finished")?.step ?? 0
  const sets = [...new Set(record.evaluation.map((one) => one.set))]
  const result: RunSummary = {
    run: directory.run,
    dir: directory.root,
    seconds: runSeconds(record.timings),
    steps,
    eval: Object.fromEntries(
      sets.map((set) => [
        set,
        { first: accuracyAt(record.evaluation, set, 0), last: accuracyAt(record.evaluation, set, steps) }
      ])
    ),
    digest: {
      plan: planDigest(record.plan),
      metrics: ofBytes(yield* readFile(directory.metrics)),
      weights: weights?._tag === "stage_finished" ? (weights.weights ?? "") : ""
    }
  }
  return result
})

/** Draws the report. What draws it is loaded here: it weighs more than all the rest, and most processes of a sweep never need it. */
const drawReport = Effect.fn("Run.drawReport")(function* (root: string) {
  const { writeReport } = yield* Effect.promise(() => import("./Report.ts"))
  return yield* writeReport(root)
})

/** What a run works with. */
export type RunEngines = Trainer | Generator | Scorer | JudgeCalibration

/** Warm-up and profile: how hard the questions are for the policy that training starts from. */
const upToProfile = Effect.fn("Run.upToProfile")(function* (context: RunContext) {
  // before anything is trained: a judge that accepts wrong answers is better known now
  yield* watchJudge(context, 0)
  const start = yield* warmup(context)
  const policy = yield* openPolicy(context, start)
  yield* catchUp(context, policy)
  return { policy, rates: yield* profile(context, policy) }
})

/** ... filter and plan: everything that is known before the first step. */
const upToPlan = Effect.fn("Run.upToPlan")(function* (context: RunContext) {
  const { policy, rates } = yield* upToProfile(context)
  return { policy, served: yield* filterAndPlan(context, rates) }
})

const work = Effect.fn("Run.work")(function* (input: RunInput) {
  const started = yield* Clock.currentTimeMillis
  const context = yield* prepare(input)
  const { policy, served } = yield* upToPlan(context)
  yield* evaluateAll(context, policy, "evaluate_first", 0)
  const { policy: trained, steps } = yield* train(context, policy, served.course)
  yield* writeDrawn(context)
  yield* finishTraining(context, trained, steps)
  yield* evaluateAll(context, trained, "evaluate_last", steps)
  yield* context.journal.commit({ _tag: "run_finished", step: steps })
  const trainer = yield* Trainer
  yield* trainer.close(trained.run)
  if (trained.reference !== undefined) yield* trainer.close(trained.reference)
  yield* context.records.timings("report", 0, { run: ((yield* Clock.currentTimeMillis) - started) / 1000 })
  if (input.report === false) return
  yield* Progress.report({ stage: "report", done: 0, total: 1, unit: "page" })
  yield* drawReport(input.root)
  yield* Progress.report({ stage: "report", done: 1, total: 1, unit: "page" })
})

/** Runs an experiment to its end, or goes on where an earlier attempt stopped. The engines start when the run is ours, and stop with it. */
export const run = Effect.fn("Run.run")(function* <E>(input: RunInput, engines: Layer.Layer<RunEngines, E>) {
  yield* asOwner(input.root, Effect.provide(work(input), engines))
  const result = yield* summary(input.root)
  return Option.getOrThrow(Option.fromUndefinedOr(result))
})

/** Sums up a run that is finished, after drawing its report where that is missing; undefined where there is something left to do. Fails for a run of another manifest. */
export const finished = Effect.fn("Run.finished")(function* (input: RunInput) {
  const directory = yield* layout(input.root)
  if (!(yield* exists(directory.lineage))) return undefined
  yield* checkManifest(input, directory)
  const result = yield* summary(input.root)
  if (result !== undefined && input.report !== false && !(yield* exists(directory.report)))
    yield* drawReport(input.root)
  return result
})

/** Does a part of a run in its directory. */
const prepared = <A, E, E2, R>(
  input: RunInput,
  engines: Layer.Layer<RunEngines, E2>,
  part: (context: RunContext) => Effect.Effect<A, E, R>
) => asOwner(input.root, Effect.provide(Effect.flatMap(prepare(input), part), engines))

/** Runs an experiment up to its profile; `run` goes on from there. */
export const profileOf = <E>(input: RunInput, engines: Layer.Layer<RunEngines, E>) =>
  prepared(input, engines, (context) => Effect.map(upToProfile(context), ({ rates }) => rates))

/** Runs an experiment up to its plan; `run` goes on from there. */
export const planOf = <E>(input: RunInput, engines: Layer.Layer<RunEngines, E>) =>
  prepared(input, engines, (context) => Effect.map(upToPlan(context), ({ served }) => served))
