/** A finished cell's summary from its run directory, and the summaries that are there already. */
import { CellResult, type CurvePoint } from "@gradus/domain/CellResult"
import type { JournalEvent } from "@gradus/domain/Journal"
import { Lineage } from "@gradus/domain/Lineage"
import type { EvaluationReading } from "@gradus/domain/RunRecord"
import { exists, readJson } from "@gradus/experiment/AtomicFile"
import { readJournal } from "@gradus/experiment/Journal"
import { readings, ResolvedFile } from "@gradus/experiment/ReadRun"
import { summary } from "@gradus/experiment/Run"
import { layout } from "@gradus/experiment/RunDirectory"
import { servedBatches } from "@gradus/experiment/Served"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The directory holds no finished run. */
export class RunUnfinished extends Schema.TaggedError<RunUnfinished>()("RunUnfinished", {
  directory: Schema.String
}) {
  override get message(): string {
    return `${this.directory} holds no finished run; \`gradus resume ${this.directory}\` goes on with one`
  }
}

/** What had been spent after each step, from the journal: tokens generated and updates applied. */
const spent = (events: ReadonlyArray<JournalEvent>) => (step: number) => ({
  tokens: events.reduce(
    (sum, event) =>
      event._tag === "step_generated" && event.step <= step ? sum + (event.metrics["tokens/generated"] ?? 0) : sum,
    0
  ),
  updates: events.filter((event) => event._tag === "update_applied" && event.step <= step).length
})

const curveOf = (
  evaluation: ReadonlyArray<EvaluationReading>,
  events: ReadonlyArray<JournalEvent>
): ReadonlyArray<CurvePoint> =>
  evaluation.map(({ accuracy, samples, set, step, unscored }) => ({
    set,
    step,
    accuracy,
    samples,
    unscored,
    ...spent(events)(step)
  }))

/** Sums a finished run up for statistics. `cell`: its identity. Fails with RunUnfinished. */
export const resultOf = Effect.fn("Sweep.result")(function* (root: string, cell?: string) {
  const run = yield* summary(root)
  if (run === undefined) return yield* new RunUnfinished({ directory: root })
  const directory = yield* layout(root)
  const resolved = yield* readJson(ResolvedFile, directory.resolved)
  const lineage = yield* readJson(Lineage, directory.lineage)
  const { events } = yield* readJournal(directory.journal)
  const generated = events.flatMap((event) => (event._tag === "step_generated" ? [event] : []))
  const start = events.find((event) => event._tag === "stage_finished" && event.stage === "train")
  const questions = servedBatches(events).flatMap((batch) => batch.questions)
  const result: CellResult = {
    format: 1,
    cell: cell ?? resolved.digest,
    seed: resolved.manifest.seed,
    manifest_digest: resolved.digest,
    dataset_digest: lineage.dataset_digest,
    start: start?._tag === "stage_finished" ? start.input_digest : "",
    digest: run.digest,
    steps: run.steps,
    ...spent(events)(run.steps),
    seconds: run.seconds,
    drawn: questions.length,
    distinct: new Set(questions).size,
    curve: curveOf(yield* readings(directory), events),
    reward: generated.map(({ metrics }) => metrics["reward"] ?? null),
    silent: generated.map(({ metrics }) => metrics["frac_reward_zero_std"] ?? null),
    stages: lineage.stages,
    origin: {
      commit: lineage.commit,
      torch: lineage.trainer.torch,
      device: lineage.trainer.device,
      processor: lineage.hardware.cpu_model
    }
  }
  return result
})

/** Reads a cell's summary; undefined where there is none, or where it belongs to another cell. */
export const storedResult = Effect.fn("Sweep.storedResult")(function* (file: string, cell: string) {
  if (!(yield* exists(file))) return undefined
  const result = yield* readJson(CellResult, file)
  return result.cell === cell ? result : undefined
})
