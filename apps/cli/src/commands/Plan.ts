/** `gradus plan`: every batch before any GPU is used, from a manifest or from a file with pass rates. */
import { planReport } from "@gradus/curriculum/PlanReport"
import { GaussianBatcher } from "@gradus/domain/manifest/Curriculum"
import type { PlannedBatch } from "@gradus/domain/Plan"
import * as Seed from "@gradus/domain/Seed"
import { load } from "@gradus/manifest/service/Load"
import { planOf } from "@gradus/experiment/Run"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Engines } from "../Engines.ts"
import { print, printJson, say } from "../Output.ts"
import { runInput, trainerPlace } from "../RunPlace.ts"
import * as TerminalProgress from "../TerminalProgress.ts"
import { filterFile, type RatedInput } from "./Filter.ts"

/** The options do not say what to plan. */
export class PlanRequestInvalid extends Schema.TaggedError<PlanRequestInvalid>()("PlanRequestInvalid", {
  reason: Schema.String
}) {
  override get message(): string {
    return `plan: ${this.reason}`
  }
}

export interface PlanOptions {
  readonly manifest: string | undefined
  readonly set: ReadonlyArray<string>
  readonly runs: string
  readonly input: string | undefined
  readonly passed: string | undefined
  readonly kind: RatedInput["kind"]
  readonly n: number | undefined
  readonly promptsPerStep: number | undefined
  readonly sigma: number
  readonly dropAt: number
  readonly seed: number
  readonly json: boolean
}

const fromFile = Effect.fnUntraced(function* (options: PlanOptions) {
  const { input, n, passed, promptsPerStep } = options
  if (input === undefined || passed === undefined || n === undefined || promptsPerStep === undefined)
    return yield* new PlanRequestInvalid({
      reason: "give a manifest, or all of --input, --passed, --n and --prompts-per-step"
    })
  const { filtered } = yield* filterFile({ input, passed, kind: options.kind, n, dropAt: options.dropAt })
  if (filtered.kept.length === 0)
    return yield* new PlanRequestInvalid({
      reason: `no question of ${input} is below the pass rate ${options.dropAt}; there is nothing to plan`
    })
  const { batches, report } = planReport({
    pool: filtered.kept,
    spec: yield* Schema.decodeEffect(GaussianBatcher)({ batcher: "gaussian", sigma: options.sigma }).pipe(
      Effect.mapError((error) => new PlanRequestInvalid({ reason: `--sigma: ${error.message}` }))
    ),
    promptsPerStep,
    seed: Seed.child(Seed.root(options.seed), "plan")
  })
  return { batches, notes: report.warnings }
})

const fromManifest = Effect.fnUntraced(function* (manifest: string, options: PlanOptions) {
  const input = yield* runInput(yield* load(manifest, options.set), options.runs)
  const { lease, run: enginesOf } = yield* Engines
  const engines = enginesOf(input.resolved.manifest, yield* trainerPlace(input.root))
  const { notes, plan: batches } = yield* planOf(input, engines).pipe(Effect.provide([lease, TerminalProgress.layer]))
  return { batches, notes }
})

const three = (value: number | null): string => (value === null ? "-" : value.toFixed(3))

const row = (batch: PlannedBatch): string =>
  [
    String(batch.batch).padStart(5),
    String(batch.questions.length).padStart(9),
    three(batch.targetMean).padStart(6),
    three(batch.achievedMean).padStart(8),
    String(batch.fill).padStart(4)
  ].join("  ")

/** Plans and prints one line a batch. */
export const plan = Effect.fn("gradus.plan")(function* (options: PlanOptions) {
  const { batches, notes } = yield* options.manifest === undefined
    ? fromFile(options)
    : fromManifest(options.manifest, options)
  for (const note of notes) yield* say(note)
  if (!options.json) yield* print("batch  questions  target  achieved  fill")
  for (const batch of batches) yield* options.json ? printJson(batch) : print(row(batch))
})
