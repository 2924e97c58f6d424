/** Filter and plan: which questions are kept, and all batches before the first one is trained on. */
import { ofJson } from "@gradus/domain/Digest"
import type { PlannedBatch } from "@gradus/domain/Plan"
import { FilterRow, type ProfileRow, type RatedQuestion } from "@gradus/domain/Profile"
import * as Seed from "@gradus/domain/Seed"
import { filter } from "@gradus/curriculum/Filter"
import { needsOutcomes } from "@gradus/curriculum/Batchers"
import { type CurriculumPlan, plan, planDigest } from "@gradus/curriculum/Plan"
import { CurriculumInvalid, PoolInvalid } from "@gradus/curriculum/PoolInvalid"
import { encodeRows } from "@gradus/datasets/Parquet"
import { decodePlan, encodePlan } from "@gradus/datasets/PlanTable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readFile, writeFile } from "./AtomicFile.ts"
import type { RunContext } from "./Context.ts"
import { begin, type Course } from "./Course.ts"

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

/** A setting or a question that the batcher refuses is an expected failure; anything else it throws is a bug. */
const refused = <A>(make: () => A): Effect.Effect<A, PoolInvalid | CurriculumInvalid> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(make())
    } catch (cause) {
      return cause instanceof PoolInvalid || cause instanceof CurriculumInvalid ? Effect.fail(cause) : Effect.die(cause)
    }
  })

const makePlan = (context: RunContext, pool: ReadonlyArray<RatedQuestion>): CurriculumPlan => {
  const { curriculum, train } = context.manifest
  if (needsOutcomes(curriculum))
    return {
      batches: [],
      notes: [`${curriculum.batcher} learns from outcomes: its batches are known when they are drawn`]
    }
  return plan({
    pool,
    spec: curriculum,
    promptsPerStep: train.prompts_per_step,
    steps: train.steps,
    seed: Seed.child(context.seed, "plan")
  })
}

/** Filters a profile, begins the course, and writes the plan of all batches; a second attempt finds the same ones. */
export const filterAndPlan = Effect.fn("CurriculumStage.filterAndPlan")(function* (
  context: RunContext,
  profile: ReadonlyArray<ProfileRow>
) {
  const { directory, journal, manifest } = context
  const filtered = filter(profile, manifest.filter)
  if (filtered.kept.length === 0)
    return yield* new NothingToTrainOn({ questions: profile.length, dropAt: manifest.filter.drop_at })
  const course = yield* refused(() => begin(manifest, filtered.kept, Seed.child(context.seed, "plan")))
  if (journal.events().some((event) => event._tag === "stage_finished" && event.stage === "plan")) {
    const stored = needsOutcomes(manifest.curriculum) ? [] : yield* decodePlan(yield* readFile(directory.plan))
    return { course, plan: stored, notes: [] } satisfies Served
  }
  const made = yield* refused(() => makePlan(context, filtered.kept))
  yield* writeFile(directory.filter, yield* encodeRows(FilterRow, filtered.rows))
  if (!needsOutcomes(manifest.curriculum)) yield* writeFile(directory.plan, yield* encodePlan(made.batches))
  const dropped = profile.length - filtered.kept.length
  const input = ofJson({
    profile,
    filter: manifest.filter,
    curriculum: manifest.curriculum,
    train: manifest.train.prompts_per_step
  })
  const rows = {
    filter: stageRow("filter", { "filter/kept": filtered.kept.length, "filter/dropped": dropped }),
    plan: stageRow("plan", { "plan/batches": made.batches.length, "plan/questions": filtered.kept.length })
  }
  const finish = (stage: "filter" | "plan", digest: string) =>
    journal.commit({ _tag: "stage_finished", stage, input_digest: digest, reused: false, rows: [rows[stage]] })
  yield* finish("filter", input)
  yield* finish("plan", planDigest(made.batches))
  yield* context.records.metrics(journal.events())
  for (const note of made.notes) yield* Effect.logWarning(note)
  return { course, plan: made.batches, notes: made.notes } satisfies Served
})

/** Writes the batches that were drawn as the plan, where it could not be known beforehand. */
export const writeDrawn = Effect.fn("CurriculumStage.writeDrawn")(function* (context: RunContext) {
  if (!needsOutcomes(context.manifest.curriculum)) return
  const batches = context.journal
    .events()
    .flatMap((event) => (event._tag === "step_generated" ? (event.batch ?? []) : []))
  yield* writeFile(context.directory.plan, yield* encodePlan(batches))
})
