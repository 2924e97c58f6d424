/** Evaluation: sampled accuracy on the evaluation sets, with the same questions and streams before and after training. */
import { ofJson } from "@gradus/domain/Digest"
import { EvaluationFile, type EvaluationReading, RolloutRow } from "@gradus/domain/RunRecord"
import * as Seed from "@gradus/domain/Seed"
import { encodeRows } from "@gradus/datasets/Parquet"
import * as Effect from "effect/Effect"
import { exists, readJson, writeFile, writeJson } from "./AtomicFile.ts"
import type { RunContext } from "./Context.ts"
import type { TrainedPolicy } from "./Policy.ts"
import * as Progress from "./Progress.ts"
import { timed } from "./Records.ts"
import { rolloutRows } from "./Rollouts.ts"
import { sampleAndScore } from "./Sampling.ts"
import { storeVerdicts } from "./Verdicts.ts"

const mean = (values: ReadonlyArray<number | null>): number | null => {
  const present = values.filter((value) => value !== null)
  return present.length === 0 ? null : present.reduce((sum, value) => sum + value, 0) / present.length
}

/** Sums an evaluation up, overall and by the level that the questions' author states. */
export const reading = (set: string, step: number, rows: ReadonlyArray<RolloutRow>): EvaluationReading => ({
  set,
  step,
  accuracy: mean(rows.map((row) => row.value)),
  format: mean(rows.map((row) => row.format)),
  samples: rows.length,
  unscored: rows.filter((row) => row.value === null).length,
  by_level: [...Map.groupBy(rows, (row) => row.level ?? "")].map(([level, own]) => ({
    level,
    accuracy: mean(own.map((row) => row.value)),
    samples: own.length
  }))
})

/** Reads one set after a step; a reading that is on disk is not asked for again. */
export const evaluateSet = Effect.fn("Evaluate.set")(function* (
  context: RunContext,
  policy: TrainedPolicy,
  set: string,
  step: number
) {
  const file = context.directory.evaluation(set, step)
  if (yield* exists(file.reading)) return (yield* readJson(EvaluationFile, file.reading)).reading
  const { groups } = yield* sampleAndScore(context, {
    stage: `eval-${set}`,
    step,
    model: policy.model,
    policyVersion: policy.version,
    run: policy.run,
    questions: context.sets.evaluation[set] ?? [],
    samples: context.manifest.evaluate.samples,
    sampling: context.manifest.evaluate.sampling ?? context.manifest.sampling,
    seed: Seed.child(context.seed, "evaluate", set)
  })
  const rows = rolloutRows(step, policy.version, groups)
  const result = reading(set, step, rows)
  yield* storeVerdicts(context.directory.verdicts(file.rollouts), rows, groups)
  yield* writeFile(file.rollouts, yield* encodeRows(RolloutRow, rows))
  yield* writeJson(file.reading, { format: 1, reading: result })
  return result
})

/** The metrics of readings, e.g. `eval/heldout/accuracy`. */
export const evaluationMetrics = (
  readings: ReadonlyArray<EvaluationReading>
): Readonly<Record<string, number | null>> =>
  Object.fromEntries(
    readings.flatMap((one) => [
      [`eval/${one.set}/accuracy`, one.accuracy],
      [`eval/${one.set}/format`, one.format],
      [`eval/${one.set}/unscored`, one.unscored]
    ])
  )

/** Reads all sets, as the stage before or after training. */
export const evaluateAll = Effect.fn("Evaluate.all")(function* (
  context: RunContext,
  policy: TrainedPolicy,
  stage: "evaluate_first" | "evaluate_last",
  step: number
) {
  if (context.journal.events().some((event) => event._tag === "stage_finished" && event.stage === stage)) return
  const sets = Object.keys(context.sets.evaluation)
  const [readings, seconds] = yield* timed(
    Effect.forEach(sets, (set, index) =>
      Effect.tap(evaluateSet(context, policy, set, step), (one) =>
        Progress.report({
          stage: stage === "evaluate_first" ? "evaluate before" : "evaluate after",
          done: index + 1,
          total: sets.length,
          unit: "sets",
          note: `${set} ${one.accuracy?.toFixed(3) ?? "unscored"}`
        })
      )
    )
  )
  yield* context.journal.commit({
    _tag: "stage_finished",
    stage,
    input_digest: ofJson({ sets, step, start: policy.start }),
    reused: false,
    rows: [{ format: 1, stage, step, metrics: evaluationMetrics(readings) }]
  })
  yield* context.records.metrics(context.journal.events())
  yield* context.records.timings(stage, step, { stage: seconds })
})
