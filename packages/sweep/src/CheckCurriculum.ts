/** Filter and plan of a run made again from its stored profile: both are pure, whatever made the profile. */
import { filter } from "@gradus/curriculum/Filter"
import { needsOutcomes } from "@gradus/curriculum/Batchers"
import { plan as planBatches, planDigest } from "@gradus/curriculum/Plan"
import { decodeRows } from "@gradus/datasets/Parquet"
import { decodePlan } from "@gradus/datasets/PlanTable"
import { ofJson } from "@gradus/domain/Digest"
import type { JournalEvent } from "@gradus/domain/Journal"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import { FilterRow, ProfileRow, type RatedQuestion } from "@gradus/domain/Profile"
import * as Seed from "@gradus/domain/Seed"
import { readFile } from "@gradus/experiment/AtomicFile"
import { filterInput } from "@gradus/experiment/CurriculumStage"
import type { RunDirectory } from "@gradus/experiment/RunDirectory"
import { batchesOf } from "@gradus/experiment/Served"
import * as Effect from "effect/Effect"
import { changes } from "./Change.ts"

/** The batches that are known before training, and their digest; none for batchers that learn from outcomes. */
const planned = ({ curriculum, seed, train }: Manifest, pool: ReadonlyArray<RatedQuestion>) =>
  needsOutcomes(curriculum)
    ? []
    : planBatches({
        pool,
        spec: curriculum,
        promptsPerStep: train.prompts_per_step,
        steps: train.steps,
        seed: Seed.child(Seed.root(seed), "plan")
      }).batches

/** Compares profile, filter.parquet and plan.parquet with each other and with what the journal says of them. */
export const checkCurriculum = Effect.fn("Sweep.checkCurriculum")(function* (
  directory: RunDirectory,
  cell: string,
  manifest: Manifest,
  events: ReadonlyArray<JournalEvent>
) {
  const profile = yield* decodeRows(ProfileRow, yield* readFile(directory.profile), "profile.parquet")
  const { kept, rows } = filter(profile, manifest.filter)
  const batches = planned(manifest, kept)
  const said = (stage: "filter" | "plan"): string => {
    const event = events.find((one) => one._tag === "stage_finished" && one.stage === stage)
    return event?._tag === "stage_finished" ? event.input_digest : "none"
  }
  const stored = yield* decodeRows(FilterRow, yield* readFile(directory.filter), "filter.parquet")
  const drawn = yield* decodePlan(yield* readFile(directory.plan))
  return changes(
    cell,
    {
      "profile and filter's rule": said("filter"),
      "filter and plan": said("plan"),
      "filter.parquet": ofJson(rows),
      "plan.parquet": planDigest(batchesOf(manifest, events, batches))
    },
    {
      "profile and filter's rule": filterInput(manifest, profile),
      "filter and plan": planDigest(batches),
      "filter.parquet": ofJson(stored),
      "plan.parquet": planDigest(drawn)
    }
  )
})
