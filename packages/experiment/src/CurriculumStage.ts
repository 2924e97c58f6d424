/** Filter and plan: which questions are kept, and all batches before the first one is trained on. */
import { type Digest, ofJson } from "@gradus/domain/Digest"
import type { PlannedBatch } from "@gradus/domain/Plan"
import { FilterRow, type ProfileRow, type RatedQuestion } from "@gradus/domain/Profile"
import * as Seed from "@gradus/domain/Seed"
import { filter } from "@gradus/curriculum/Filter"
import { needsOutcomes } from "@gradus/curriculum/Batchers"
import { type CurriculumPlan, plan, planDigest } from "@gradus/curriculum/Plan"
import { refusing } from "@gradus/curriculum/PoolInvalid"
import { encodeRows } from "@gradus/datasets/Parquet"
import { decodePlan, encodePlan } from "@gradus/datasets/PlanTable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readFile, writeFile } from "./AtomicFile.ts"
import type { RunContext } from "./Context.ts"
import { begin, type Course } from "./Course.ts"
import { isOpen, servedBatches } from "./Served.ts"

/** The filter kept nothing that could be served. */
export class NothingToTrainOn extends Schema.TaggedError<NothingToTrainOn>()("NothingToTrainOn", {
  questions: Schema.Int,
  dropAt: Schema.Finite
}) {
  override get message(): string {
    return `the filter kept none of ${this.questions} questions (drop_at ${this.dropAt}): the policy finds all of them too easy, or nothing could be scored`
  }
}

const stageRow = (stage: "filter" | "plan", metrics: Readonly<Record<string, number | null>>) => ({
  format: 1 as const,
  stage,
  step: 0,
  metrics
})

/** What training draws from, and the plan where there can be one. */
export interface Served {
  readonly course: Course
  /** Every batch before the first one is trained on; empty for batchers that learn from outcomes. */
  readonly plan: ReadonlyArray<PlannedBatch>
  readonly notes: ReadonlyArray<string>
}

/** What makes a run ask other questions than its plan says; a plan of such a run shows its beginning. */
const detours = ({ gate, refresh }: RunContext["manifest"]): ReadonlyArray<string> => [
  ...(gate === undefined
    ? []
    : ["with a gate, steps also ask questions of later batches: this plan is what a run without rejections would ask"]),
  ...(refresh === undefined
    ? []
    : ["with a refresh, batches after it are planned anew: this plan holds until the first one"])
]

/** What of a plan is to be said whatever its batches are; the same in every attempt. */
const foreseen = (manifest: RunContext["manifest"]): ReadonlyArray<string> =>
  needsOutcomes(manifest.curriculum)
    ? [`${manifest.curriculum.batcher} learns from outcomes: its batches are known when they are drawn`]
    : detours(manifest)

const makePlan = (context: RunContext, pool: ReadonlyArray<RatedQuestion>): CurriculumPlan => {
  const { curriculum, train } = context.manifest
  if (needsOutcomes(curriculum)) return { batches: [], notes: [] }
  return plan({
    pool,
    spec: curriculum,
    promptsPerStep: train.prompts_per_step,
    steps: train.steps,
    seed: Seed.child(context.seed, "plan")
  })
}

/** Identifies what filter and plan are made of. */
export const filterInput = (
  { curriculum, filter: rule, train }: RunContext["manifest"],
  profile: ReadonlyArray<ProfileRow>
): Digest => ofJson({ profile, filter: rule, curriculum, train: train.prompts_per_step })

/** Filters a profile, begins the course, and writes the plan of all batches; a second attempt finds the same ones. */
export const filterAndPlan = Effect.fn("CurriculumStage.filterAndPlan")(function* (
  context: RunContext,
  profile: ReadonlyArray<ProfileRow>
) {
  const { directory, journal, manifest } = context
  const filtered = filter(profile, manifest.filter)
  if (filtered.kept.length === 0)
    return yield* new NothingToTrainOn({ questions: profile.length, dropAt: manifest.filter.drop_at })
  const said = [...filtered.notes, ...foreseen(manifest)]
  const course = yield* refusing(() => begin(manifest, filtered.kept, Seed.child(context.seed, "plan")))
  if (journal.events().some((event) => event._tag === "stage_finished" && event.stage === "plan")) {
    const stored = needsOutcomes(manifest.curriculum) ? [] : yield* decodePlan(yield* readFile(directory.plan))
    return { course, plan: stored, notes: said } satisfies Served
  }
  const made = yield* refusing(() => makePlan(context, filtered.kept))
  yield* writeFile(directory.filter, yield* encodeRows(FilterRow, filtered.rows))
  if (!needsOutcomes(manifest.curriculum)) yield* writeFile(directory.plan, yield* encodePlan(made.batches))
  const dropped = profile.length - filtered.kept.length
  const rows = {
    filter: stageRow("filter", { "filter/kept": filtered.kept.length, "filter/dropped": dropped }),
    plan: stageRow("plan", { "plan/batches": made.batches.length, "plan/questions": filtered.kept.length })
  }
  // two transitions: an attempt that was cut between them has the first already
  const finish = (stage: "filter" | "plan", digest: string) =>
    journal.events().some((event) => event._tag === "stage_finished" && event.stage === stage)
      ? Effect.void
      : journal.commit({ _tag: "stage_finished", stage, input_digest: digest, reused: false, rows: [rows[stage]] })
  yield* finish("filter", filterInput(manifest, profile))
  yield* finish("plan", planDigest(made.batches))
  yield* context.records.metrics(journal.events())
  const notes = [...said, ...made.notes]
  for (const note of notes) yield* Effect.logWarning(note)
  return { course, plan: made.batches, notes } satisfies Served
})

/** Writes the batches that were asked as the plan, where they could not all be known beforehand. */
export const writeDrawn = Effect.fn("CurriculumStage.writeDrawn")(function* (context: RunContext) {
  if (!isOpen(context.manifest)) return
  yield* writeFile(context.directory.plan, yield* encodePlan(servedBatches(context.journal.events())))
})
