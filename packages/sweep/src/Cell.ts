/** A cell of a sweep and the plan that holds all of them, closed before anything runs. */
import { Digest, ofJson } from "@gradus/domain/Digest"
import { stageVersions } from "@gradus/experiment/StageDigest"
import * as Schema from "effect/Schema"
import { SuccessiveHalving } from "./Spec.ts"

/** One run of a sweep: an arm under a seed. */
export const Cell = Schema.Struct({
  /** Identity of all that the cell's results depend on; the commit is in the run's lineage, not here. */
  id: Digest,
  arm: Schema.String,
  seed: Schema.Int,
  dataset_digest: Digest,
  /** The warm-up that the cell starts from, by the digest of its inputs; null where there is none. */
  warmup: Schema.NullOr(Digest),
  /** The profile that the cell shares, by the digest of its inputs without the weights, which are those of the warm-up. */
  profile: Digest
})
export type Cell = typeof Cell.Type

/** A stage's output that several cells use and that is made once. */
export const SharedStage = Schema.Struct({
  stage: Schema.Literals(["warmup", "profile"]),
  digest: Digest,
  cells: Schema.Int
})
export type SharedStage = typeof SharedStage.Type

export const PlanFile = Schema.Struct({
  format: Schema.Literal(1),
  name: Schema.String,
  digest: Digest,
  /** Digest of the plan that this one extends; null for the first. */
  extends: Schema.NullOr(Digest),
  early_stop: Schema.NullOr(SuccessiveHalving),
  cells: Schema.Array(Cell),
  shared: Schema.Array(SharedStage)
})
export type PlanFile = typeof PlanFile.Type

/** Identifies a cell by its arm's manifest (digest under seed 0), its seed, its questions and the versions of all stages. */
export const cellId = (manifest: Digest, seed: number, dataset: string): Digest =>
  ofJson({ format: 1, manifest, seed, dataset, stages: stageVersions })

/** A rule that may end arms early, with all that it decides by: the set whose readings it ranks, and the arm that always goes on. */
export interface EarlyStop {
  readonly rule: SuccessiveHalving
  readonly metric: string
  readonly baseline: string
}

/** Identifies a plan: its cells in their order and, where a rule may end some early, what this decides by. */
export const sweepDigest = (cells: ReadonlyArray<Cell>, early: EarlyStop | null): Digest =>
  ofJson({
    format: 1,
    cells: cells.map(({ arm, id, seed }) => ({ id, arm, seed })),
    early_stop: early === null ? null : { ...early.rule, metric: early.metric, baseline: early.baseline }
  })

/** How cells are named in directories and for people. */
export const shortId = (id: string): string => id.slice(0, 16)
