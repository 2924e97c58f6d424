/** Filter and plan: which questions are kept, and all batches before the first one is trained on. */
import { ofJson } from "@gradus/domain/Digest"
import { FilterRow, type ProfileRow } from "@gradus/domain/Profile"
import * as Seed from "@gradus/domain/Seed"
import { filter } from "@gradus/curriculum/Filter"
import { plan, planDigest } from "@gradus/curriculum/Plan"
import { encodeRows } from "@gradus/datasets/Parquet"
import { decodePlan, encodePlan } from "@gradus/datasets/PlanTable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readFile, writeFile } from "./AtomicFile.ts"
import type { RunContext } from "./Context.ts"

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

/** Filters a profile and plans all batches, or reads the plan that an earlier attempt wrote. */
export const filterAndPlan = Effect.fn("CurriculumStage.filterAndPlan")(function* (
  context: RunContext,
  profile: ReadonlyArray<ProfileRow>
) {
  const { directory, journal, manifest } = context
  if (journal.events().some((event) => event._tag === "stage_finished" && event.stage === "plan"))
    return yield* decodePlan(yield* readFile(directory.plan))
  const filtered = filter(profile, manifest.filter)
  if (filtered.kept.length === 0)
    return yield* new NothingToTrainOn({ questions: profile.length, dropAt: manifest.filter.drop_at })
  yield* writeFile(directory.filter, yield* encodeRows(FilterRow, filtered.rows))
  const made = plan({
    pool: filtered.kept,
    spec: manifest.curriculum,
    promptsPerStep: manifest.train.prompts_per_step,
    ...(manifest.train.steps === undefined ? {} : { steps: manifest.train.steps }),
    seed: Seed.child(context.seed, "plan")
  })
  yield* writeFile(directory.plan, yield* encodePlan(made.batches))
  const input = ofJson({
    profile,
    filter: manifest.filter,
    curriculum: manifest.curriculum,
    train: manifest.train.prompts_per_step
  })
  yield* journal.commit({
    _tag: "stage_finished",
    stage: "filter",
    input_digest: input,
    reused: false,
    rows: [
      stageRow("filter", {
        "filter/kept": filtered.kept.length,
        "filter/dropped": profile.length - filtered.kept.length
      })
    ]
  })
  yield* journal.commit({
    _tag: "stage_finished",
    stage: "plan",
    input_digest: planDigest(made.batches),
    reused: false,
    rows: [stageRow("plan", { "plan/batches": made.batches.length, "plan/questions": filtered.kept.length })]
  })
  yield* context.records.metrics(journal.events())
  for (const note of made.notes) yield* Effect.logWarning(note)
  return made.batches
})
