/** Warm-up: supervised fine-tuning on worked examples (token cross-entropy on the completion), as a trainer run of its own. */
import type { WorkedExample } from "@gradus/domain/Question"
import type { MetricsRow } from "@gradus/domain/Metrics"
import { MetricsRow as MetricsRowSchema } from "@gradus/domain/Metrics"
import type { TrainerRun, UpdateAnswer } from "@gradus/domain/TrainerMessages"
import type { UpdateRow } from "@gradus/domain/UpdateBatch"
import type { WarmupSpec } from "@gradus/domain/manifest/Manifest"
import { Trainer } from "@gradus/trainer-client/Trainer"
import { encodeUpdate } from "@gradus/trainer-client/UpdateCodec"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Artifacts from "./Artifacts.ts"
import { readJson } from "./AtomicFile.ts"
import type { RunContext } from "./Context.ts"
import { learningRate } from "./LearningRate.ts"
import * as Progress from "./Progress.ts"
import { renderPrompt } from "./Prompt.ts"
import { metricsText, timed } from "./Records.ts"
import { trainerPolicy } from "./TrainerPolicy.ts"
import { warmupDigest, warmupDigestOf } from "./StageDigest.ts"

/** Examples are tokenised so many updates at a time. */
const UPDATES_PER_CALL = 25

const WarmupArtifact = Schema.Struct({
  format: Schema.Literal(1),
  weights: Schema.String,
  rows: Schema.Array(MetricsRowSchema)
})

const sequence = (
  example: WorkedExample,
  prompt: ReadonlyArray<number>,
  completion: ReadonlyArray<number>,
  end: number
): UpdateRow => {
  const answer = [...completion, end]
  return {
    sample_id: `warmup/${example.question_id}`,
    group_id: `warmup/${example.question_id}`,
    token_ids: [...prompt, ...answer],
    loss_mask: [...prompt.map(() => 0 as const), ...answer.map(() => 1 as const)]
  }
}

/** Makes the sequences of updates `from` to `to` (from 1, inclusive). */
const sequences = Effect.fn("Warmup.sequences")(function* (
  context: RunContext,
  spec: WarmupSpec,
  run: TrainerRun,
  from: number,
  to: number
) {
  const trainer = yield* Trainer
  const worked = context.worked
  if (worked === undefined) return yield* Effect.die(new Error("a warm-up needs worked examples"))
  const each = spec.examples_per_step
  const examples = yield* Effect.forEach(
    Array.from({ length: (to - from + 1) * each }, (_, i) => (from - 1) * each + i),
    worked
  )
  const prompts = examples.map((example) => renderPrompt(context.manifest.prompt, example))
  const ids = yield* trainer.tokenize(run, [...prompts, ...examples.map((example) => example.completion)])
  const rows = examples.map((example, i) =>
    sequence(example, ids[i] ?? [], ids[examples.length + i] ?? [], run.end_token_id)
  )
  return Array.from({ length: to - from + 1 }, (_, u) => rows.slice(u * each, (u + 1) * each))
})

const row = (update: number, rate: number, answer: UpdateAnswer): MetricsRow => ({
  format: 1,
  stage: "warmup",
  step: update,
  metrics: { ...answer.metrics, learning_rate: rate }
})

const trainWarmup = Effect.fn("Warmup.train")(function* (context: RunContext, spec: WarmupSpec, name: string) {
  const trainer = yield* Trainer
  const run = yield* trainer.open(name, {
    policy: yield* trainerPolicy(context),
    optimizer: spec.optimizer,
    micro_batch_tokens: context.manifest.trainer.micro_batch_tokens,
    dtype: context.manifest.trainer.dtype
  })
  const rows: Array<MetricsRow> = []
  let version = run.version
  // what an earlier attempt applied is asked for, not repeated
  for (let update = 1; update < run.next_update; update++) {
    const stored = yield* trainer.storedUpdate(run, update)
    if (Option.isSome(stored))
      rows.push(row(update, learningRate(spec.learning_rate, update, spec.steps), stored.value))
  }
  for (let from = run.next_update; from <= spec.steps; from += UPDATES_PER_CALL) {
    const to = Math.min(spec.steps, from + UPDATES_PER_CALL - 1)
    const batches = yield* sequences(context, spec, run, from, to)
    for (const [offset, batch] of batches.entries()) {
      const update = from + offset
      const rate = learningRate(spec.learning_rate, update, spec.steps)
      const header = {
        run: name,
        update,
        parent_version: version,
        learning_rate: rate,
        loss: { kind: "cross_entropy" },
        normaliser: "tokens",
        denominator: batch.reduce((sum, one) => sum + one.loss_mask.filter((bit) => bit === 1).length, 0)
      } as const
      const answer = yield* trainer.update(run, encodeUpdate({ header, rows: batch }))
      version = answer.version
      rows.push(row(update, rate, answer))
    }
    yield* Progress.report({
      stage: "warm-up",
      done: to,
      total: spec.steps,
      unit: "updates",
      note: `loss ${(rows.at(-1)?.metrics["loss"] ?? 0).toFixed(3)}`
    })
  }
  const checkpoint = yield* trainer.checkpoint(run, "final", { policy: true })
  yield* trainer.close(run)
  return { format: 1 as const, weights: checkpoint.digest, rows }
})

/** Warms a policy up, or finds the one that another run with the same inputs made. Returns the digest of its weights; undefined where the manifest has no warm-up. */
export const warmup = Effect.fn("Warmup.warmup")(function* (context: RunContext) {
  const spec = context.manifest.warmup
  if (spec === undefined || spec.steps === 0) return undefined
  const done = context.journal.events().find((event) => event._tag === "stage_finished" && event.stage === "warmup")
  if (done?._tag === "stage_finished") return done.weights
  const path = yield* Path.Path
  const digest = warmupDigestOf(warmupDigest(context.manifest, context.datasetDigest), context.policyContent)
  const found = yield* Artifacts.find(context.directory.artifacts, "warmup", digest)
  const [artifact, seconds] = yield* timed(
    Effect.gen(function* () {
      if (found === undefined) return yield* trainWarmup(context, spec, `warmup-${digest.slice(0, 16)}`)
      return yield* readJson(WarmupArtifact, path.join(found, "warmup.json"))
    })
  )
  if (found === undefined)
    yield* Artifacts.publish(context.directory.artifacts, "warmup", digest, context.directory.run, {
      "warmup.json": `${JSON.stringify(artifact)}\n`,
      "metrics.ndjson": metricsText(artifact.rows)
    })
  yield* context.journal.commit({
    _tag: "stage_finished",
    stage: "warmup",
    input_digest: digest,
    reused: found !== undefined,
    weights: artifact.weights,
    rows: artifact.rows
  })
  yield* context.records.metrics(context.journal.events())
  yield* context.records.timings("warmup", 0, { stage: seconds })
  return artifact.weights
})
