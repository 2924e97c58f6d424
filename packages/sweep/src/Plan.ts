/** From a sweep to its plan: a closed, ordered, hashed list of cells, made before anything runs. */
import { loadQuestions } from "@gradus/datasets/service/LoadQuestions"
import { Digest, ofJson } from "@gradus/domain/Digest"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import * as Seed from "@gradus/domain/Seed"
import { profileDigest, warmupDigest } from "@gradus/experiment/StageDigest"
import { identity, resolver } from "@gradus/manifest/Resolve"
import { load as loadManifest } from "@gradus/manifest/service/Load"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ManifestUnreadable } from "@gradus/manifest/ManifestUnreadable"
import type { Arm } from "./ArmName.ts"
import { unique } from "./Arms.ts"
import { Cell, cellId, type PlanFile, type SharedStage, sweepDigest } from "./Cell.ts"
import { metricIssues } from "./MetricSet.ts"
import { baselineOf, invalid, readSweep, type Sweep } from "./Read.ts"

/** Two arms are the same cells under two names. */
export class ArmsEqual extends Schema.TaggedError<ArmsEqual>()("ArmsEqual", {
  file: Schema.String,
  arms: Schema.Tuple([Schema.String, Schema.String])
}) {
  override get message(): string {
    return `${this.file}: the arms \`${this.arms[0]}\` and \`${this.arms[1]}\` resolve to the same manifest; take one of them out`
  }
}

/** A rung asks for readings that a run does not take. */
export class RungUnread extends Schema.TaggedError<RungUnread>()("RungUnread", {
  file: Schema.String,
  arm: Schema.String,
  rung: Schema.Int,
  every: Schema.Int
}) {
  override get message(): string {
    return `${this.file}: arm \`${this.arm}\` has no reading at rung ${this.rung}; rungs are multiples of \`evaluate.every\` (${this.every}) before the last step`
  }
}

const checkRungs = Effect.fnUntraced(function* (file: string, sweep: Sweep, arms: ReadonlyArray<ResolvedArm>) {
  for (const rung of sweep.spec.early_stop?.rungs ?? [])
    for (const { manifest, name: arm } of arms) {
      const { every } = manifest.evaluate
      const last = manifest.train.steps ?? Infinity
      if (every === 0 || rung % every !== 0 || rung >= last) return yield* new RungUnread({ file, arm, rung, every })
    }
})

/** An arm with its manifest as it is under seed 0. */
interface ResolvedArm {
  readonly name: string
  readonly manifest: Manifest
  readonly digest: Digest
}

export interface PlannedSweep extends Sweep {
  readonly file: string
  /** Directory of the base manifest: relative paths in cells' manifests start here. */
  readonly base: string
  /** The base manifest's own text, kept beside every run. */
  readonly written: string
  readonly plan: PlanFile
  /** The manifest of a cell of the plan. */
  readonly manifestOf: (cell: Cell) => Manifest
}

const readText = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs
    .readFileString(file)
    .pipe(Effect.mapError((error) => new ManifestUnreadable({ file, reason: error.message })))
})

/** Resolves every arm once; the seed is put in afterwards. */
const resolveArms = Effect.fnUntraced(function* (
  file: string,
  arms: ReadonlyArray<Arm>,
  resolve: ReturnType<typeof resolver>
) {
  const results = arms.map((arm) => resolve(arm.settings))
  const issues = unique(results.flatMap((one) => (Result.isFailure(one) ? one.failure.issues : [])))
  if (issues.length > 0) return yield* invalid(issues)
  const resolved: Array<ResolvedArm> = []
  const known = new Map<string, string>()
  for (const [index, one] of results.entries()) {
    if (Result.isFailure(one)) continue
    const name = arms[index]?.name ?? ""
    const manifest = { ...one.success.manifest, seed: 0 }
    const digest = identity(manifest)
    const same = known.get(digest)
    if (same !== undefined) return yield* new ArmsEqual({ file, arms: [same, name] })
    known.set(digest, name)
    resolved.push({ name, manifest, digest })
  }
  return resolved
})

/** Remembers what a function gave for a key. */
const remembered = <A>() => {
  const known = new Map<string, A>()
  return (key: string, make: () => A): A => {
    const found = known.get(key)
    if (found !== undefined) return found
    const made = make()
    known.set(key, made)
    return made
  }
}

const sharedOf = (cells: ReadonlyArray<Cell>): ReadonlyArray<SharedStage> => {
  const counts = new Map<string, SharedStage>()
  const count = (stage: SharedStage["stage"], digest: Digest) => {
    const key = `${stage}/${digest}`
    counts.set(key, { stage, digest, cells: (counts.get(key)?.cells ?? 0) + 1 })
  }
  for (const { profile, warmup } of cells) {
    if (warmup !== null) count("warmup", warmup)
    count("profile", profile)
  }
  return [...counts.values()]
}

/** The questions of arms and seeds, each read once: their digest, and the evaluation sets that they come with. */
const questionsOf = (directory: string) => {
  const known = new Map<string, { readonly digest: Digest; readonly sets: ReadonlyArray<string> }>()
  return Effect.fnUntraced(function* (manifest: Manifest, key: string) {
    const found = known.get(`${key}/${manifest.seed}`)
    if (found !== undefined) return found
    const seed = Seed.child(Seed.root(manifest.seed), "questions")
    const { digest, sets } = yield* loadQuestions(manifest.questions, seed, directory)
    const loaded = { digest, sets: Object.keys(sets.evaluation) }
    known.set(`${key}/${manifest.seed}`, loaded)
    return loaded
  })
}

/** Weights by what makes them: the warm-up where there is one, else the policy of the manifest. */
const noWeights = Digest.make("0".repeat(64))

/**
 * Plans a sweep: arms times seeds, seeds slowest, so that what is done first is whole pairs. Reads the base manifest and the questions, runs
 * nothing. Fails with ManifestInvalid by file:line:col, ArmsEqual, or what reading questions fails with.
 */
export const planSweep = Effect.fn("Sweep.plan")(function* (file: string) {
  const path = yield* Path.Path
  const sweep = yield* Effect.fromResult(readSweep({ file, text: yield* readText(file) }))
  const baseFile = path.resolve(path.dirname(file), sweep.spec.base)
  const base = yield* loadManifest(baseFile)
  const arms = yield* resolveArms(file, sweep.arms, resolver(base.sources))

  yield* checkRungs(file, sweep, arms)

  const questions = questionsOf(base.directory)
  const stage = remembered<Digest>()
  const keyed = arms.map((arm) => ({
    ...arm,
    questions: ofJson(arm.manifest.questions),
    warmup: warmupDigest(arm.manifest, ""),
    profile: profileDigest(arm.manifest, "", "")
  }))
  const sets = yield* Effect.forEach(keyed, (arm) =>
    Effect.map(questions({ ...arm.manifest, seed: sweep.spec.seeds[0] }, arm.questions), (loaded) => loaded.sets)
  )
  const mistaken = metricIssues(sweep, sets)
  if (mistaken.length > 0) return yield* invalid(mistaken)

  const cells: Array<Cell> = []
  const manifests = new Map<string, Manifest>()
  for (const seed of sweep.spec.seeds)
    for (const arm of keyed) {
      const manifest = { ...arm.manifest, seed }
      const { digest: dataset } = yield* questions(manifest, arm.questions)
      const warm = manifest.warmup !== undefined && manifest.warmup.steps > 0
      const warmup = warm ? stage(`w/${arm.warmup}/${seed}`, () => warmupDigest(manifest, dataset)) : null
      const weights = warmup ?? noWeights
      const id = cellId(arm.digest, seed, dataset)
      manifests.set(id, manifest)
      cells.push({
        id,
        arm: arm.name,
        seed,
        dataset_digest: dataset,
        warmup,
        profile: stage(`p/${arm.profile}/${arm.warmup}/${seed}`, () => profileDigest(manifest, dataset, weights))
      })
    }
  const early_stop = sweep.spec.early_stop ?? null
  const early =
    early_stop === null ? null : { rule: early_stop, metric: sweep.spec.metric.set, baseline: baselineOf(sweep) }
  const planned: PlannedSweep = {
    ...sweep,
    file,
    base: base.directory,
    written: base.sources.at(-1)?.text ?? "",
    plan: {
      format: 1,
      name: sweep.spec.name,
      digest: sweepDigest(cells, early),
      extends: null,
      early_stop,
      cells,
      shared: sharedOf(cells)
    },
    // by what a cell is, never by what it is called
    manifestOf: ({ id }) => Option.getOrThrow(Option.fromUndefinedOr(manifests.get(id)))
  }
  return planned
})
