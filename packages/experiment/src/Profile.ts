/** Profile: n completions of each question under the policy that training starts from, scored; made once and shared by every run that needs it. */
import { ProfileRow } from "@gradus/domain/Profile"
import { RolloutRow } from "@gradus/domain/RunRecord"
import * as Seed from "@gradus/domain/Seed"
import { estimate } from "@gradus/curriculum/Estimate"
import { decodeRows, encodeRows } from "@gradus/datasets/Parquet"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Artifacts from "./Artifacts.ts"
import { exists, readFile, writeFile } from "./AtomicFile.ts"
import type { RunContext } from "./Context.ts"
import type { TrainedPolicy } from "./Policy.ts"
import * as Progress from "./Progress.ts"
import { timed } from "./Records.ts"
import { rolloutRows } from "./Rollouts.ts"
import { sampleAndScore } from "./Sampling.ts"
import { profileDigest } from "./StageDigest.ts"
import { storeVerdicts } from "./Verdicts.ts"

/** One chunk of questions: read where an earlier attempt stored it, else asked. */
const profileChunk = Effect.fn("Profile.chunk")(function* (
  context: RunContext,
  policy: TrainedPolicy,
  chunk: number,
  size: number
) {
  const file = context.directory.profileChunk(chunk)
  if (yield* exists(file)) return yield* decodeRows(RolloutRow, yield* readFile(file))
  const { groups } = yield* sampleAndScore(context, {
    stage: "profile",
    step: chunk,
    model: policy.model,
    policyVersion: policy.version,
    questions: context.sets.train.slice(chunk * size, (chunk + 1) * size),
    samples: context.manifest.profile.samples,
    sampling: context.manifest.sampling,
    seed: Seed.child(context.seed, "profile")
  })
  const rows = rolloutRows(0, policy.version, groups)
  yield* storeVerdicts(context.directory.verdicts(file), rows, groups)
  yield* writeFile(file, yield* encodeRows(RolloutRow, rows))
  return rows
})

const estimates = (context: RunContext, rollouts: ReadonlyArray<RolloutRow>): ReadonlyArray<ProfileRow> => {
  const byQuestion = Map.groupBy(rollouts, (row) => row.question_id)
  return context.sets.train.map((question) => {
    const rows = byQuestion.get(question.question_id) ?? []
    return estimate({
      question_id: question.question_id,
      domain: question.domain ?? null,
      n: context.manifest.profile.samples,
      scores: rows.map((row) => row.value),
      truncated: rows.filter((row) => row.finish_reason === "length").length,
      mean_tokens: rows.length === 0 ? 0 : rows.reduce((sum, row) => sum + row.length, 0) / rows.length,
      passMark: context.manifest.profile.pass_mark,
      credibleLevel: context.manifest.profile.credible_level
    })
  })
}

const measure = Effect.fn("Profile.measure")(function* (context: RunContext, policy: TrainedPolicy) {
  const size = context.manifest.trainer.chunk_prompts
  const total = context.sets.train.length
  const rollouts: Array<RolloutRow> = []
  for (let chunk = 0; chunk * size < total; chunk++) {
    rollouts.push(...(yield* profileChunk(context, policy, chunk, size)))
    yield* Progress.report({ stage: "profile", done: Math.min(total, (chunk + 1) * size), total, unit: "questions" })
  }
  return estimates(context, rollouts)
})

/** Measures pass rates, or finds a profile with the same inputs. */
export const profile = Effect.fn("Profile.profile")(function* (context: RunContext, policy: TrainedPolicy) {
  const done = context.journal.events().some((event) => event._tag === "stage_finished" && event.stage === "profile")
  if (done) return yield* decodeRows(ProfileRow, yield* readFile(context.directory.profile))
  const path = yield* Path.Path
  const digest = profileDigest(context.manifest, context.datasetDigest, policy.start)
  const found = yield* Artifacts.find(context.directory.artifacts, "profile", digest)
  const [rows, seconds] = yield* timed(
    found === undefined
      ? measure(context, policy)
      : Effect.flatMap(readFile(path.join(found, "profile.parquet")), (bytes) => decodeRows(ProfileRow, bytes))
  )
  const bytes = yield* encodeRows(ProfileRow, rows)
  if (found === undefined)
    yield* Artifacts.publish(context.directory.artifacts, "profile", digest, context.directory.run, {
      "profile.parquet": bytes
    })
  yield* writeFile(context.directory.profile, bytes)
  const rated = rows.flatMap((row) => (row.rate === null ? [] : [row.rate]))
  yield* context.journal.commit({
    _tag: "stage_finished",
    stage: "profile",
    input_digest: digest,
    reused: found !== undefined,
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
