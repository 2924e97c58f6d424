/** Profile: n completions of each question under the policy that training starts from, scored; made once and shared by every run that needs it. */
import { ProfileRow } from "@gradus/domain/Profile"
import type { RatesSpec } from "@gradus/domain/manifest/Curriculum"
import type { Question } from "@gradus/domain/Question"
import { RolloutRow } from "@gradus/domain/RunRecord"
import * as Seed from "@gradus/domain/Seed"
import { estimate } from "@gradus/curriculum/Estimate"
import { decodeRows, encodeRows } from "@gradus/datasets/Parquet"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Artifacts from "./Artifacts.ts"
import { exists, readFile, writeFile } from "./AtomicFile.ts"
import { broughtRates } from "./BroughtRates.ts"
import type { RunContext } from "./Context.ts"
import type { TrainedPolicy } from "./Policy.ts"
import * as Progress from "./Progress.ts"
import { timed } from "./Records.ts"
import { rolloutRows } from "./Rollouts.ts"
import { sampleAndScore } from "./Sampling.ts"
import { profileDigest, ratesDigest } from "./StageDigest.ts"
import { storeVerdicts } from "./Verdicts.ts"

/** Which questions are measured, under which names and streams, and where each chunk is kept. */
export interface Measurement {
  readonly stage: string
  readonly questions: ReadonlyArray<Question>
  readonly seed: Seed.Seed
  readonly chunkFile: (chunk: number) => string
}

/** One chunk of questions: read where an earlier attempt stored it, else asked. */
const profileChunk = Effect.fn("Profile.chunk")(function* (
  context: RunContext,
  policy: TrainedPolicy,
  { chunkFile, questions, seed, stage }: Measurement,
  chunk: number,
  size: number
) {
  const file = chunkFile(chunk)
  if (yield* exists(file)) return yield* decodeRows(RolloutRow, yield* readFile(file))
  const { groups } = yield* sampleAndScore(context, {
    stage,
    step: chunk,
    model: policy.model,
    policyVersion: policy.version,
    run: policy.run,
    questions: questions.slice(chunk * size, (chunk + 1) * size),
    samples: context.manifest.profile.samples,
    sampling: context.manifest.sampling,
    seed
  })
  const rows = rolloutRows(0, policy.version, groups)
  yield* storeVerdicts(context.directory.verdicts(file), rows, groups)
  yield* writeFile(file, yield* encodeRows(RolloutRow, rows))
  return rows
})

const estimates = (
  { profile: spec }: RunContext["manifest"],
  questions: ReadonlyArray<Question>,
  rollouts: ReadonlyArray<RolloutRow>
): ReadonlyArray<ProfileRow> => {
  const byQuestion = Map.groupBy(rollouts, (row) => row.question_id)
  return questions.map((question) => {
    const rows = byQuestion.get(question.question_id) ?? []
    return estimate({
      question_id: question.question_id,
      domain: question.domain ?? null,
      n: spec.samples,
      scores: rows.map((row) => row.value),
      truncated: rows.filter((row) => row.finish_reason === "length").length,
      mean_tokens: rows.length === 0 ? 0 : rows.reduce((sum, row) => sum + row.length, 0) / rows.length,
      passMark: spec.pass_mark,
      credibleLevel: spec.credible_level
    })
  })
}

/** Measures pass rates chunk by chunk; chunks that are on disk are not asked for again. */
export const measure = Effect.fn("Profile.measure")(function* (
  context: RunContext,
  policy: TrainedPolicy,
  measurement: Measurement
) {
  const size = context.manifest.trainer.chunk_prompts
  const { questions, stage } = measurement
  const total = questions.length
  const rollouts: Array<RolloutRow> = []
  for (let chunk = 0; chunk * size < total; chunk++) {
    rollouts.push(...(yield* profileChunk(context, policy, measurement, chunk, size)))
    yield* Progress.report({ stage, done: Math.min(total, (chunk + 1) * size), total, unit: "questions" })
  }
  return estimates(context.manifest, questions, rollouts)
})

/** Measures pass rates and shares them, or finds a profile with the same inputs. */
const measuredRates = Effect.fnUntraced(function* (context: RunContext, policy: TrainedPolicy) {
  const path = yield* Path.Path
  const { artifacts, run } = context.directory
  const digest = profileDigest(context.manifest, context.datasetDigest, policy.start)
  const found = yield* Artifacts.find(artifacts, "profile", digest)
  if (found !== undefined) {
    const rows = yield* decodeRows(ProfileRow, yield* readFile(path.join(found, "profile.parquet")))
    return { rows, digest, reused: true }
  }
  const rows = yield* measure(context, policy, {
    stage: "profile",
    questions: context.sets.train,
    seed: Seed.child(context.seed, "profile"),
    chunkFile: context.directory.profileChunk
  })
  yield* Artifacts.publish(artifacts, "profile", digest, run, {
    "profile.parquet": yield* encodeRows(ProfileRow, rows)
  })
  return { rows, digest, reused: false }
})

/** Takes the pass rates that the manifest's file brings. The file itself is what is shared. */
const ratesFrom = Effect.fnUntraced(function* (spec: RatesSpec, { base, datasetDigest, manifest, sets }: RunContext) {
  const { content, rows } = yield* broughtRates(spec, manifest.profile, base, sets.train)
  return { rows, digest: ratesDigest(spec, manifest.profile.credible_level, datasetDigest, content), reused: true }
})

/** Measures pass rates, or finds them: in this run, in a profile with the same inputs, or in the file that brings them. */
export const profile = Effect.fn("Profile.profile")(function* (context: RunContext, policy: TrainedPolicy) {
  const done = context.journal.events().some((event) => event._tag === "stage_finished" && event.stage === "profile")
  if (done) return yield* decodeRows(ProfileRow, yield* readFile(context.directory.profile))
  const { from } = context.manifest.profile
  const [{ digest, reused, rows }, seconds] =
    from === undefined ? yield* timed(measuredRates(context, policy)) : yield* timed(ratesFrom(from, context))
  yield* writeFile(context.directory.profile, yield* encodeRows(ProfileRow, rows))
  const rated = rows.flatMap((row) => (row.rate === null ? [] : [row.rate]))
  yield* context.journal.commit({
    _tag: "stage_finished",
    stage: "profile",
    input_digest: digest,
    reused,
    rows: [
      {
        format: 1,
        stage: "profile",
        step: 0,
        metrics: {
          "profile/mean_rate": rated.length === 0 ? null : rated.reduce((sum, rate) => sum + rate, 0) / rated.length,
          "profile/questions": rows.length,
          "profile/unscored": rows.reduce((sum, row) => sum + row.n - row.scored, 0)
        }
      }
    ]
  })
  yield* context.records.metrics(context.journal.events())
  yield* context.records.timings("profile", 0, { stage: seconds })
  return rows
})
