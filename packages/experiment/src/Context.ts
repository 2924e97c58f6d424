/** What every stage of a run is given: the manifest, its place on disk, its questions, its random stream, its journal. */
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { Question, QuestionSets, WorkedExample } from "@gradus/domain/Question"
import type { Seed } from "@gradus/domain/Seed"
import type { QuestionSpaceExhausted } from "@gradus/datasets/DatasetErrors"
import type * as Effect from "effect/Effect"
import type { Journal } from "./Journal.ts"
import type { RunDirectory } from "./RunDirectory.ts"
import type { Records } from "./Records.ts"

export interface RunContext {
  readonly manifest: Manifest
  readonly manifestDigest: string
  /** Directory that relative paths in the manifest start from. */
  readonly base: string
  readonly directory: RunDirectory
  readonly seed: Seed
  readonly sets: QuestionSets
  readonly datasetDigest: string
  /** Digest of what lies behind the policy's path; undefined without one, and where only the trainer's host has it. */
  readonly policyContent: string | undefined
  /** The warm-up's example of an index; absent where the questions come without worked texts. */
  readonly worked: ((index: number) => Effect.Effect<WorkedExample, QuestionSpaceExhausted>) | undefined
  readonly questions: ReadonlyMap<string, Question>
  readonly journal: Journal
  readonly records: Records
  readonly attempt: number
}
